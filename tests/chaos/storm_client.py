"""A client of the storm: a process that reserves, ships, counts ..., notes what it was told, and may die at any time.

It asks every call again, under the same business key, until it has an answer; what it had begun when it was killed too.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import StockConflict
from services import stock_updates
from store import inbound, stock
from store.database import engine as database
from store.enums import InboundKind
from store.inbound import Announcement, Arrived, Receipt
from store.stock import OutOfReach, WorkDay, adjustments, counts, soft
from store.stock.adjustments import Adjustment
from store.stock.counts import Count
from store.stock.soft import SoftRequest, SoftUnits
from tests.chaos.storm_shelves import COUNTED, NODES, SKUS, Shelves
from tests.chaos.storm_told import Call, Told, reserved_by
from tests.worlds.shelf import write_order
from tests.worlds.sourcing import MONDAY, MONDAY_NOON

LONG, SHORT = 3600, 1
MOST_REFUSALS = 20
LATE_BY = 25
"""Calls between a count and its message, for those that come late."""


@dataclass(frozen=True)
class Orders:
    """What a client was told to do."""

    number: int
    seed: int
    calls: int
    url: str
    folder: Path


class Client:
    """Draws calls, makes them, and writes down each before it is made and after it was answered."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.me = f"c{orders.number}"
        self.log = (orders.folder / f"{self.me}.log").open("ab", buffering=0)
        self.told = Told()
        self.pending: Call | None = None
        self.shelves = Shelves(orders.folder / "shelves.log")
        for line in read_log(orders.folder / f"{self.me}.log"):
            if "answer" in line:
                assert self.pending is not None
                self.told.hear(self.pending, line["answer"])
                self.pending = None
            elif "do" in line:
                self.pending = line

    def note(self, line: dict[str, Any]) -> None:
        self.log.write(json.dumps(line).encode() + b"\n")

    async def run(self, engine: AsyncEngine) -> None:
        """Calls until all are made, and everything that was sent has arrived."""
        while True:
            call = self.pending or self.next_call()
            if call is None:
                return
            if self.pending is None:
                self.note(call)
            answer = await self.until_answered(engine, call)
            self.note({"n": call["n"], "answer": answer})
            self.told.hear(call, answer)
            self.pending = None

    async def until_answered(self, engine: AsyncEngine, call: Call) -> Any:
        work: Callable[[AsyncConnection, Call], Awaitable[Any]] = getattr(self, f"do_{call['do']}")
        refusals = 0
        while True:
            try:
                async with engine.begin() as connection:
                    return await work(connection, call)
            except OutOfReach:
                return "out_of_reach"
            except StockConflict:
                return "refused"
            except IntegrityError as error:
                # What died in the middle may still be at it in the database, and then be first.
                self.note({"refused": call["n"], "why": str(error.orig)[:500]})
                refusals += 1
                if call["do"] == "less" and "business_key" in str(error.orig):
                    return "done"
                if refusals > MOST_REFUSALS:
                    raise
                await asyncio.sleep(0.1)
            except (DBAPIError, OSError, TimeoutError) as error:
                if "deadlock" in str(error):
                    self.note({"deadlock": str(error)[:2000]})
                elif not (isinstance(error, OSError | TimeoutError) or database.is_unavailable(error)):
                    raise
                await asyncio.sleep(0.1)

    # --- what is done -------------------------------------------------------------------------------------------------

    def next_call(self) -> Call | None:
        number = self.told.number + 1
        dice = random.Random(f"{self.orders.seed}/{self.me}/{number}")
        key = f"{self.me}-{number}"
        if self.told.calls >= self.orders.calls:
            if not self.told.sent:
                return None
            transfer, units = next(iter(self.told.sent.items()))
            return {"n": number, "key": key, "do": "receive", "transfer": transfer, "units": units}
        while True:
            do = dice.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
            drawn = getattr(self, f"draw_{do}")(dice, key)
            if drawn is not None:
                return {"n": number, "key": key, "do": do, **drawn}

    def some_units(self, dice: random.Random, most: int) -> list[list[Any]]:
        rows = dice.sample([(node, sku) for node in NODES for sku in SKUS], dice.randint(1, most))
        return [[node, sku, dice.randint(1, 3)] for node, sku in rows]

    def draw_soft(self, dice: random.Random, key: str) -> Call:
        return {
            "requests": [
                {"id": f"{key}-{each}", "units": self.some_units(dice, 3), "seconds": dice.choice((SHORT, LONG, LONG))}
                for each in range(dice.choice((1, 1, 2, 4)))
            ]
        }

    async def do_soft(self, connection: AsyncConnection, call: Call) -> list[str]:
        requests = [
            SoftRequest(r["id"], "web", r["id"], "cart", r["seconds"], tuple(SoftUnits(*u) for u in r["units"]))
            for r in call["requests"]
        ]
        return [str(verdict) for verdict in await soft.take(connection, requests)]

    def draw_extend(self, dice: random.Random, key: str) -> Call | None:
        return {"hold": dice.choice(list(self.told.holds))} if self.told.holds else None

    async def do_extend(self, connection: AsyncConnection, call: Call) -> bool:
        return await soft.extend(connection, call["hold"], LONG) is not None

    draw_release_soft = draw_extend

    async def do_release_soft(self, connection: AsyncConnection, call: Call) -> bool:
        return await soft.release(connection, call["hold"], reason="left", actor=self.me)

    def draw_sweep(self, dice: random.Random, key: str) -> Call:
        return {}

    async def do_sweep(self, connection: AsyncConnection, call: Call) -> int:
        return await soft.sweep(connection)

    def draw_firm(self, dice: random.Random, key: str) -> Call:
        return {"units": self.some_units(dice, 3)}

    async def do_firm(self, connection: AsyncConnection, call: Call, hold: str | None = None) -> str:
        if await connection.scalar(text("SELECT true FROM orders WHERE id = :id"), {"id": f"web-{call['key']}"}):
            return "reserved"
        units = reserved_by(call)
        order_id = f"web-{call['key']}"
        rows = [(unit.node_id, unit.sku) for unit in units]
        owned = await soft.convert(connection, hold, order_id, rows) if hold else {}
        await write_order(connection, order_id, units)
        days = [WorkDay(node, MONDAY, "standard") for node in {unit.node_id for unit in units}]
        await stock.reserve(connection, order_id, "web", units, sorted(days, key=str), MONDAY_NOON, owned)
        return "reserved"

    def draw_convert(self, dice: random.Random, key: str) -> Call | None:
        if not self.told.holds:
            return None
        hold = dice.choice(list(self.told.holds))
        return {"hold": hold, "units": self.told.holds[hold]}

    async def do_convert(self, connection: AsyncConnection, call: Call) -> str:
        return await self.do_firm(connection, call, call["hold"])

    def draw_ship(self, dice: random.Random, key: str) -> Call | None:
        if not self.told.firm:
            return None
        fulfilment = dice.choice(list(self.told.firm))
        return {"fulfilment": fulfilment, "lines": self.told.firm[fulfilment]}

    draw_cancel = draw_ship

    def draw_less(self, dice: random.Random, key: str) -> Call | None:
        several = [one for one, lines in self.told.firm.items() if lines[0][3] > 1]
        return {"fulfilment": (one := dice.choice(several)), "lines": self.told.firm[one]} if several else None

    async def do_ship(self, connection: AsyncConnection, call: Call) -> str:
        moved = {f"{node}/{sku}": -units for _, node, sku, units in call["lines"] if sku in COUNTED}
        at = self.shelves.move(call["key"], moved) if moved else datetime.now(UTC)
        if not await self._becomes(connection, call["fulfilment"], "handed_over"):
            return "done"
        await stock.consume(connection, _order_of(call), call["fulfilment"], actor=self.me, at=at)
        return "done"

    async def do_cancel(self, connection: AsyncConnection, call: Call) -> str:
        if not await self._becomes(connection, call["fulfilment"], "cancelled"):
            return "done"
        await self._release(connection, call, {line: units for line, _, _, units in call["lines"]})
        await stock.give_day_back(connection, WorkDay(call["lines"][0][1], MONDAY, "standard"))
        return "done"

    async def do_less(self, connection: AsyncConnection, call: Call) -> str:
        line = call["lines"][0][0]
        await self._release(connection, call, {line: 1})  # refused by its key when it was done before
        place = {"id": call["fulfilment"], "line_id": line, "order_id": _order_of(call)}
        await connection.execute(_ONE_LESS, place)
        return "done"

    async def _becomes(self, connection: AsyncConnection, fulfilment_id: str, status: str) -> bool:
        return bool(await connection.scalar(_STEP, {"id": fulfilment_id, "status": status}))

    async def _release(self, connection: AsyncConnection, call: Call, quantities: dict[str, int]) -> None:
        await stock.release(
            connection,
            _order_of(call),
            call["fulfilment"],
            quantities,
            business_key=f"{call['key']}/release",
            reason="storm",
            actor=self.me,
            at=datetime.now(UTC),
        )

    def draw_adjust(self, dice: random.Random, key: str) -> Call:
        comes = dice.random() < 0.75
        sku = dice.choice(SKUS if comes else SKUS[len(COUNTED) :])
        return {
            "node": dice.choice(NODES),
            "sku": sku,
            "quantity": dice.randint(3, 12) if comes else -dice.randint(1, 4),
        }

    async def do_adjust(self, connection: AsyncConnection, call: Call) -> str:
        node, sku, quantity = call["node"], call["sku"], call["quantity"]
        at = datetime.now(UTC)
        if sku in COUNTED:
            at = self.shelves.move(call["key"], {f"{node}/{sku}": quantity})
        change = Adjustment(node, sku, quantity, "receipt" if quantity > 0 else "loss", call["key"], at)
        return _outcome((await adjustments.apply(connection, [change], self.me))[0])

    def draw_look(self, dice: random.Random, key: str) -> Call:
        return {"node": dice.choice(NODES), "sku": dice.choice(COUNTED)}

    async def do_look(self, connection: AsyncConnection, call: Call) -> tuple[int, str]:
        """Somebody counts a shelf; the message comes later."""
        quantity, at = self.shelves.count(f"{call['node']}/{call['sku']}")
        return quantity, at.isoformat()

    def draw_count(self, dice: random.Random, key: str) -> Call | None:
        if not self.told.taken_counts:
            return None
        late = [one for one in self.told.taken_counts if one["n"] < self.told.number - LATE_BY]
        return {"look": late[0] if late else self.told.taken_counts[-1], "twice": dice.random() < 0.3}

    async def do_count(self, connection: AsyncConnection, call: Call) -> list[str]:
        look = call["look"]
        at = datetime.fromisoformat(look["at"])
        count = Count(look["node"], look["sku"], look["quantity"], at, look["n"])
        times = 2 if call["twice"] else 1
        return [_outcome((await counts.apply(connection, [count], self.me, self.me))[0]) for _ in range(times)]

    def draw_send(self, dice: random.Random, key: str) -> Call:
        origin, node = dice.sample(NODES, 2)
        return {"units": [origin, node, dice.choice(SKUS[len(COUNTED) :]), dice.randint(1, 5)]}

    async def do_send(self, connection: AsyncConnection, call: Call) -> str:
        origin, node, sku, quantity = call["units"]
        lines = ((sku, quantity),)
        announced = Announcement(call["key"], InboundKind.TRANSFER, node, origin, MONDAY, 100, lines)
        await inbound.announce(connection, announced, self.me)
        await inbound.ship(connection, call["key"], actor=self.me, at=datetime.now(UTC))
        return "sent"

    def draw_receive(self, dice: random.Random, key: str) -> Call | None:
        if not self.told.sent:
            return None
        transfer = dice.choice(list(self.told.sent))
        return {"transfer": transfer, "units": self.told.sent[transfer]}

    async def do_receive(self, connection: AsyncConnection, call: Call) -> str:
        _, _, sku, quantity = call["units"]
        receipt = Receipt(call["transfer"], call["key"], (Arrived(sku, quantity),), True, self.me, datetime.now(UTC))
        return "new" if await stock_updates.receive(connection, receipt) else "repeated"


WEIGHTS = {
    "soft": 24, "extend": 4, "release_soft": 8, "sweep": 1, "firm": 16, "convert": 8, "ship": 16, "cancel": 4,
    "less": 3, "adjust": 9, "look": 4, "count": 4, "send": 3, "receive": 3,
}  # fmt: skip
_STEP = text("UPDATE fulfilments SET status = :status WHERE id = :id AND status = 'released' RETURNING true")
_ONE_LESS = text("""
WITH line AS (UPDATE fulfilment_lines SET quantity = quantity - 1 WHERE fulfilment_id = :id AND line_id = :line_id)
UPDATE order_lines SET cancelled = cancelled + 1 WHERE order_id = :order_id AND line_id = :line_id
""")


def _order_of(call: Call) -> str:
    return str(call["fulfilment"]).rpartition("-")[0]


def _outcome(result: Any) -> str:
    assert result.error is None or isinstance(result.error, StockConflict), result.error
    return str(result.outcome)


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a client's log; one that was cut off when the client died says nothing."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return [json.loads(line) for line in lines[:-1]]


def main(orders: Orders) -> None:
    """A whole life of a client; it may end at any moment."""

    async def live() -> None:
        engine = database.create(orders.url, 1)
        try:
            await Client(orders).run(engine)
        finally:
            await engine.dispose()

    asyncio.run(live())
