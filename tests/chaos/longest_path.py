"""The longest path of an order: rejected, short, sourced again, edited once booked, lost, asked back, returned.

Everybody does his part through the API and asks again where there was no answer, as a client would.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from dom.orders.status import FulfilmentStep
from dom.shared import ids
from tests.fuzz.running import World
from tests.lives.acting import ADDRESS, Actor, Row
from tests.worlds.sourcing import MONDAY_NOON
from workflows.messages import NodeReport

PATIENCE_SECONDS: Final = 150.0
"""An attempt that died with its worker is made again after its own time-out, a minute."""
UNITS: Final = 3
OUTCOME: Final[dict[str, str]] = {
    "order": "SELECT status, revision, goods_total FROM orders WHERE id = :id",
    "lines": "SELECT line_id, quantity, cancelled, backordered FROM order_lines WHERE order_id = :id",
    "work": """SELECT f.node_id, f.status, (SELECT sum(quantity) FROM fulfilment_lines l WHERE l.fulfilment_id = f.id)
               FROM fulfilments f WHERE order_id = :id ORDER BY length(f.id), f.id""",
    "parcels": """SELECT right(s.id, 5) AS parcel, s.status FROM shipments s
                  JOIN shipment_fulfilments sf ON sf.shipment_id = s.id
                  JOIN fulfilments f ON f.id = sf.fulfilment_id WHERE f.order_id = :id ORDER BY 1""",
    "stock": "SELECT node_id, on_hand, reserved, reserved_soft FROM stock WHERE sku = :sku ORDER BY 1",
    "ledger": """SELECT kind, count(*), sum(on_hand_delta) AS units FROM stock_ledger
                 WHERE sku = :sku AND on_hand_delta <> 0 GROUP BY 1 ORDER BY 1""",
    "timeline": "SELECT kind, count(*) FROM timeline WHERE order_id = :id GROUP BY 1 ORDER BY 1",
    "messages": """SELECT kind, medium, count(*) FROM outbox WHERE order_id = :id AND medium <> 'workflow'
                   GROUP BY 1, 2 ORDER BY 1, 2""",
    "exceptions": "SELECT kind, status FROM exceptions WHERE order_id = :id ORDER BY 1, 2",
    "requests": "SELECT status, ended_by FROM cancellation_requests WHERE order_id = :id",
    "returns": "SELECT status FROM returns WHERE order_id = :id",
    "refunds": "SELECT sum(amount) AS amount, count(*) FROM refunds WHERE order_id = :id",
}  # fmt: skip
"""What is compared: the same with a kill and without."""


@dataclass
class LongestPath:
    """One order of its own SKU on the path."""

    world: World
    sku: str = field(default_factory=lambda: f"K-{uuid4().hex[:12]}")
    actor: Actor = field(init=False)

    async def walk(self) -> dict[str, list[dict[str, Any]]]:
        """From the order to the refund; answers the outcome."""
        await self._place()
        await self._loses_two_nodes()
        await self._is_edited_once_booked()
        await self._loses_a_parcel()
        await self._is_asked_back_and_delivered()
        await self._comes_back()
        await self._settled()
        await self._until("the order's process is over", self._process_is_over)
        return await self._outcome()

    async def _place(self) -> None:
        await self.world.stock_up({("dc-leeds", self.sku): 5, ("wh-london", self.sku): 5, ("st-york", self.sku): 1})
        document = self.world.document(self.sku, {"1": self.sku}, {"1": UNITS}, pickup=False, complete=False)
        order_id = (await self._ask("orders", document)).json()["order_id"]
        self.actor = Actor(self.world.http, self.world.engine, order_id, {"A": self.sku}, _nothing, _nothing)

    async def _loses_two_nodes(self) -> None:
        """The first rejects, the second finds two of three; the third unit goes to another."""
        first = await self._work(1, "released")
        await self._ask(f"fulfilments/{first['id']}/reject", {"reason_code": "no_capacity"})
        second = await self._work(2, "released")
        found = [{"line_id": "1", "quantity": UNITS - 1}]
        await self._ask(f"fulfilments/{second['id']}/pick", {"lines": found})
        await self._work(3, "released")
        await self._settled()

    async def _is_edited_once_booked(self) -> None:
        """A parcel with the old address is voided, and packed anew."""
        await self._pack(2)
        await self._ask(
            f"orders/{self.actor.order_id}/changes",
            {"revision": 0, "changes": [{"change": "set_ship_to", "ship_to": ADDRESS}], "reason": "he moved"},
        )
        await self._settled()
        third = await self._only("released")
        await self._signal_accepted(third)
        await self._pack(2)

    async def _loses_a_parcel(self) -> None:
        """It is sourced again, of goods that came in meanwhile."""
        await self._goods(UNITS - 1)
        await self._ask(f"fulfilments/{self.actor.order_id}-F2/hand-over")
        await self.actor.scan(await self._work(2, "handed_over"), "lost")
        again = await self._only("released")
        await self._settled()
        for work in (self._number(again), self._number(await self._only("accepted"))):
            await self._pack(work)
            await self._ask(f"fulfilments/{self.actor.order_id}-F{work}/hand-over")
            await self._work(work, "handed_over")

    async def _is_asked_back_and_delivered(self) -> None:
        """One parcel is asked back of its carrier, which does not bring it back."""
        asked = {"lines": [{"line_id": "1", "quantity": 1}], "mode": "ask"}
        await self._ask(f"orders/{self.actor.order_id}/cancel", asked)
        await self._settled()
        on_their_way = await self.actor.work("handed_over")
        for work in on_their_way:
            await self.actor.scan(work, "intercept_failed")
            await self.actor.scan(work, "delivered")
        await self._until("the order is delivered", self._is_over)

    async def _comes_back(self) -> None:
        body = {"order_id": self.actor.order_id, "lines": [{"line_id": "1", "quantity": 1}]}
        back = (await self._ask("returns", body)).json()["return_id"]
        await self._ask(f"returns/{back}/receive")
        found = {"line_id": "1", "quantity": 1, "disposition": "restock"}
        await self._ask(f"returns/{back}/inspect", {"lines": [found]})

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _pack(self, number: int) -> None:
        work = f"{self.actor.order_id}-F{number}"
        if (await self._work(number))["status"] in {"released", "accepted"}:
            await self._ask(f"fulfilments/{work}/pick")
        await self._ask(f"fulfilments/{work}/pack")
        await self._work(number, "booked")
        await self._settled()

    async def _signal_accepted(self, work: Row) -> None:
        handle = self.world.client.get_workflow_handle(ids.order_workflow_id(self.actor.order_id))
        await handle.signal(
            "node_report", NodeReport(fulfilment_id=work["id"], step=FulfilmentStep.ACCEPT, occurred_at=MONDAY_NOON)
        )
        await self._work(self._number(work), "accepted")

    async def _goods(self, units: int) -> None:
        item = {"node_id": "st-york", "sku": self.sku, "quantity": units, "reason": "goods", "reason_code": "receipt"}
        await self._ask("inventory/adjustments", {"adjustments": [item | {"idempotency_key": uuid4().hex}]})

    def _number(self, work: Row) -> int:
        return int(work["id"].rpartition("-F")[2])

    async def _work(self, number: int, *statuses: str) -> Row:
        found: list[Row] = []

        async def there() -> bool:
            found[:] = [w for w in await self.actor.work(*statuses) if self._number(w) == number]
            return bool(found)

        await self._until(f"work {number} is {' or '.join(statuses) or 'there'}", there)
        return found[0]

    async def _only(self, status: str) -> Row:
        found: list[Row] = []

        async def there() -> bool:
            found[:] = await self.actor.work(status)
            return len(found) == 1

        await self._until(f"one fulfilment is {status}", there)
        return found[0]

    async def _is_over(self) -> bool:
        return bool(await self.actor.rows("SELECT 1 AS one FROM orders WHERE id = :id AND status = 'delivered'"))

    async def _process_is_over(self) -> bool:
        handle = self.world.client.get_workflow_handle(ids.order_workflow_id(self.actor.order_id))
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

    async def _settled(self) -> None:
        """Wait until all notices are out and the process has heard of them."""

        async def told() -> bool:
            return not await self.actor.rows(
                "SELECT 1 AS one FROM outbox WHERE order_id = :id AND status IN ('pending', 'sending')"
            )

        await self._until("everything was told", told)
        await asyncio.sleep(0.3)

    async def _outcome(self) -> dict[str, list[dict[str, Any]]]:
        outcome = {}
        async with self.world.engine.connect() as connection:
            for what, query in OUTCOME.items():
                named = {"sku": self.sku} if ":sku" in query else {"id": self.actor.order_id}
                outcome[what] = [dict(row) for row in (await connection.execute(text(query), named)).mappings()]
        return outcome

    # --- patience ----------------------------------------------------------------------------------------------------

    async def _ask(self, path: str, body: object = None) -> httpx.Response:
        """Ask under one key until there is an answer."""
        headers, until = {"Idempotency-Key": uuid4().hex}, time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self.world.http.post(f"/v1/{path}", json={} if body is None else body, headers=headers)
            if answer.status_code < 500:
                assert answer.is_success, f"{path}: {answer.text}"
                return answer
            assert time.monotonic() < until, answer.text
            await asyncio.sleep(0.5)

    async def _until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not await condition():
            if time.monotonic() > until:
                raise AssertionError(f"it never came to this: {what}; {await self.actor.work()}")
            await asyncio.sleep(0.1)


async def _nothing(*_: object) -> None:
    """Nothing."""
