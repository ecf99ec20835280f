"""Customers change their minds: before hand-over they cancel, afterwards they send the goods back.

Only the retailer's real cancellations are played; nobody cancels unprompted.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator import chance
from simulator.api import Api
from simulator.board import Board, BoardOrder
from simulator.clock import Clock, stamp
from simulator.money import money
from simulator.sample import Cancellation

CANCEL = "POST /orders/{id}/cancel"
REQUEST_RETURN = "POST /returns"
GET_RETURNS = "GET /returns"
GET_RETURN = "GET /returns/{id}"
RECEIVE_RETURN = "POST /returns/{id}/receive"
INSPECT_RETURN = "POST /returns/{id}/inspect"
GET_ORDER = "GET /orders/{id}"

SENT_BACK_AFTER = timedelta(days=1)
"""The shortest time between delivery and a customer who asks to return."""
ON_THE_WAY_BACK = timedelta(days=4)
ASKS = 0.5
"""Share of the cancellations whose channel has nodes asked for what they have picked; the others take it as well."""
LEFT_FOR_GOOD = frozenset({"handed_over", "carrier_asked", "with_customer"})
"""Why units were not cancelled that the customer will get, and sends back."""
UNTIL_INSPECTED = timedelta(hours=20)
TAKEN_IN_AFTER = timedelta(hours=2)
"""From the report that a parcel comes back to its receipt at the node."""
DISPOSITIONS = {"restock": 0.85, "refurbish": 0.07, "quarantine": 0.04, "scrap": 0.04}


@dataclass(slots=True)
class Customers:
    """All customers, and the desk at the node that takes their returns in."""

    api: Api
    board: Board
    clock: Clock

    async def speak(self, order: BoardOrder, until: datetime) -> bool:
        """Sends the order's cancellations up to a moment, before the work after it; whether there were any."""
        async with order.speaking:
            spoke = False
            while order.cancellations and order.cancellations[0].at <= until:
                cancellation = order.cancellations[0]
                await self.clock.until(cancellation.at)
                about = cancellation.invoice
                asks = chance.happens(ASKS, "asks", order.id, about)
                if not await self.cancel(order, cancellation.lines, cancellation.at, about, asks=asks):
                    order.comes_back.append(cancellation)
                order.cancellations.popleft()
                spoke = True
            return spoke

    async def cancel(
        self, order: BoardOrder, lines: Mapping[str, int], at: datetime, about: str, *, asks: bool = False
    ) -> bool:
        """Cancels units by line; False if it is too late for them. `about` makes the request the same when repeated.
        With `asks` nodes are asked for what they have picked, and the rest is sent back.
        """
        order.touched = True
        body = {"lines": _lines(lines), "occurred_at": stamp(at)} | ({"mode": "ask"} if asks else {})
        answer = await self.api.post(CANCEL, f"/orders/{order.id}/cancel", body, key=f"cancel-{order.id}-{about}")
        if answer.ok:
            self.board.tally.cancels += 1
            self.board.changed()
            self.board.say(f"{order.id}: customer cancelled {sum(lines.values())} units")
            late = {line["line_id"]: units for line in answer.body.get("lines", ()) if (units := _left(line))}
            if asks and late:
                order.comes_back.append(Cancellation(at, late, about))
            return True
        self.board.tally.cancels_refused += 1
        if not answer.conflict:
            self.board.tally.refusals[f"{CANCEL}: {answer.problem}"] += 1
        return False

    async def code(self, order: BoardOrder, fulfilment_id: str) -> str | None:
        """The code with which goods are collected, as the channel knows it of its customer; None if there is none."""
        answer = await self.api.get(GET_ORDER, f"/orders/{order.id}")
        shown = answer.body.get("fulfilments", ()) if answer.ok else ()
        return next((each.get("collection_code") for each in shown if each["id"] == fulfilment_id), None)

    async def send_back(self, order: BoardOrder) -> None:
        """Returns what the customer wanted to cancel too late. The order was delivered."""
        wanted = [*order.comes_back, *order.cancellations]
        order.comes_back, order.cancellations = [], deque()
        if wanted and order.repeated:
            wanted = await self._not_cancelled(order, wanted)
        for cancellation in wanted:
            await self._return(order, cancellation)

    async def _not_cancelled(self, order: BoardOrder, wanted: list[Cancellation]) -> list[Cancellation]:
        """Leaves out what an earlier run cancelled in time."""
        answer = await self.api.get(GET_ORDER, f"/orders/{order.id}")
        cancelled = Counter({line["line_id"]: line["cancelled"] for line in answer.body.get("lines", ())})
        left = []
        for cancellation in wanted:
            if all(cancelled[line_id] >= units for line_id, units in cancellation.lines.items()):
                cancelled.subtract(cancellation.lines)
            else:
                left.append(cancellation)
        return left

    async def _return(self, order: BoardOrder, cancellation: Cancellation) -> None:
        at = max(cancellation.at, (order.arrived_at or order.placed_at) + SENT_BACK_AFTER)
        await self.clock.until(at)
        body = {
            "order_id": order.id,
            "lines": _lines(cancellation.lines),
            "reason": "changed mind",
            "occurred_at": stamp(at),
        }
        answer = await self.api.post(REQUEST_RETURN, "/returns", body, key=f"return-{order.id}-{cancellation.invoice}")
        if not answer.ok:
            self.board.tally.returns_refused += 1
            self.board.tally.refusals[f"{REQUEST_RETURN}: {answer.problem.split(':')[0]}"] += 1
            return
        self.board.tally.returns += 1
        self.board.changed()
        if answer.body["status"] != "refunded":
            await self._take_in(answer.body["return_id"], cancellation.lines, at + ON_THE_WAY_BACK)

    async def take_parcels_in(self, order: BoardOrder) -> None:
        """The node takes in the order's parcels that their carriers brought back."""
        waiting = [("order_id", order.id), ("status", "requested")]
        async for back in self.api.pages(GET_RETURNS, "/returns", waiting):
            if back["fulfilment_id"] is not None:
                shown = await self.api.get(GET_RETURN, f"/returns/{back['id']}")
                lines = {line["line_id"]: line["quantity"] for line in shown.body.get("lines", ())}
                at = datetime.fromisoformat(back["requested_at"]) + TAKEN_IN_AFTER
                await self._take_in(back["id"], lines, at)

    async def _take_in(self, return_id: str, lines: Mapping[str, int], at: datetime) -> None:
        await self.clock.until(at)
        received = await self.api.post(
            RECEIVE_RETURN, f"/returns/{return_id}/receive", {"occurred_at": stamp(at)}, key=f"receive-{return_id}"
        )
        inspected_at = at + UNTIL_INSPECTED
        await self.clock.until(inspected_at)
        found = [
            {"line_id": line_id, "quantity": units, "disposition": chance.choose(DISPOSITIONS, return_id, line_id)}
            for line_id, units in lines.items()
        ]
        inspected = await self.api.post(
            INSPECT_RETURN,
            f"/returns/{return_id}/inspect",
            {"lines": found, "occurred_at": stamp(inspected_at)},
            key=f"inspect-{return_id}",
        )
        for name, answer in ((RECEIVE_RETURN, received), (INSPECT_RETURN, inspected)):
            if not answer.ok:
                self.board.tally.refusals[f"{name}: {answer.problem}"] += 1
        if inspected.ok:
            self._refunded(return_id, inspected.body)

    def _refunded(self, return_id: str, body: dict[str, Any]) -> None:
        self.board.tally.refunds += 1
        self.board.tally.refunded[body["currency"]] += body["refund"]
        self.board.changed()
        self.board.say(f"{return_id}: {money(body['refund'], body['currency'])} refunded")


def _left(line: Mapping[str, Any]) -> int:
    return sum(left["quantity"] for left in line["left"] if left["reason"] in LEFT_FOR_GOOD)


def _lines(units: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"line_id": line_id, "quantity": quantity} for line_id, quantity in units.items()]
