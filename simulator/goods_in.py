"""The goods-in desk: receives the sample's deliveries, and orders again what customers wait for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator import chance
from simulator.api import Api
from simulator.board import FINAL_ORDER, Board, BoardOrder
from simulator.clock import Clock, stamp
from simulator.config import Pace
from simulator.customers import GET_ORDER, Customers
from simulator.sample import SampleNode, SampleReceipt
from simulator.tasks import SimulatorTasks

AVAILABILITY = "GET /availability"
ADJUST = "POST /inventory/adjustments"
LEAD_TIME = timedelta(days=10)
"""From the day an order waits to the day its goods come in."""
DISCONTINUED = 0.15
"""Share of the SKUs out of stock that are not made any more."""
TRIES = 3
CASE = 12


@dataclass(slots=True)
class GoodsIn:
    """The desk. `tag` keeps the receipts of different runs apart."""

    api: Api
    board: Board
    clock: Clock
    tasks: SimulatorTasks
    customers: Customers
    nodes: list[SampleNode]
    receipts: deque[SampleReceipt]
    tag: str
    pace: Pace

    async def unload(self, until: datetime) -> None:
        """Receives what the sample says came in up to a moment."""
        while self.receipts and self.receipts[0].at <= until:
            receipt = self.receipts.popleft()
            key = f"receipt-{receipt.at:%Y%m%dT%H%M%S}-{receipt.node_id}-{receipt.sku}{self.tag}"
            adjustment = {
                "node_id": receipt.node_id,
                "sku": receipt.sku,
                "quantity": receipt.quantity,
                "reason": "receipt of a delivery",
                "idempotency_key": key,
                "occurred_at": stamp(receipt.at),
            }
            self.board.tally.receipts += await self._adjust([adjustment])

    async def recall(self, order: BoardOrder, skus: list[str]) -> None:
        """The supplier calls all units of some SKUs back that nobody has ordered yet, just before an order for them."""
        asked = [*(("sku", sku) for sku in skus), ("detail", "node")]
        answer = await self.api.get(AVAILABILITY, "/availability", asked)
        adjustments = [
            {
                "node_id": node["node_id"],
                "sku": item["sku"],
                "quantity": free,
                "to": "quarantine",
                "reason": "recalled by the supplier",
                "idempotency_key": f"recall-{order.id}-{item['sku']}-{node['node_id']}",
                "occurred_at": stamp(order.placed_at),
            }
            for item in answer.body.get("items", ())
            for node in item["nodes"]
            if (free := node["on_hand"] - node["reserved"] - node["reserved_soft"]) > 0
        ]
        if adjustments:
            await self._adjust(adjustments)
        self.board.say(f"{', '.join(skus)}: recalled by the supplier, in quarantine everywhere")

    def supply(self, until: datetime | None = None) -> None:
        """Helps the orders that have waited for the lead time at a moment; without one, every waiting order."""
        for order in list(self.board.waiting.values()):
            due = (order.waits_since or order.placed_at) + LEAD_TIME
            if until is None or due <= until:
                self.board.waiting.pop(order.id)
                self.tasks.start_for(order, self._help(order, due))

    async def _help(self, order: BoardOrder, at: datetime) -> None:
        await self.clock.until(at)
        await self.customers.speak(order, at)
        answer = await self.api.get(GET_ORDER, f"/orders/{order.id}")
        order.supplies += 1
        if answer.ok and answer.body["status"] not in FINAL_ORDER:
            short = [line for line in answer.body["lines"] if line["backordered"]]
            gone = [line for line in short if self._never_again(order, line["sku"])]
            await self._cancel(order, gone, at)
            await self._order_again(order, [line for line in short if line not in gone], at)
        self.board.reopen(order, self.pace.supplied)

    async def _cancel(self, order: BoardOrder, lines: list[dict[str, Any]], at: datetime) -> None:
        if lines:
            units = {line["line_id"]: line["backordered"] for line in lines}
            about = f"out-of-stock-{order.supplies}-{'-'.join(units)}"
            self.board.tally.discontinued += await self.customers.cancel(order, units, at, about)

    async def _order_again(self, order: BoardOrder, lines: list[dict[str, Any]], at: datetime) -> None:
        if not lines:
            return
        node_id = self._where(order)
        adjustments = [
            {
                "node_id": node_id,
                "sku": line["sku"],
                "quantity": _cases(line["backordered"]),
                "reason": "receipt of a replenishment",
                "idempotency_key": f"supply-{order.id}-{line['line_id']}-{order.supplies}",
                "occurred_at": stamp(at),
            }
            for line in lines
        ]
        self.board.tally.supplied += await self._adjust(adjustments)
        self.board.say(f"{node_id}: goods for {order.id} came in")

    async def _adjust(self, adjustments: list[dict[str, Any]]) -> int:
        """Books goods in; answers how many of the adjustments were applied now."""
        answer = await self.api.post(ADJUST, "/inventory/adjustments", {"adjustments": adjustments})
        if not answer.ok:
            self.board.tally.refusals[f"{ADJUST}: {answer.problem}"] += len(adjustments)
            return 0
        for result in answer.body["results"]:
            if result["status"] == "refused":
                self.board.tally.refusals[f"{ADJUST}: {(result.get('problem') or {}).get('title', '')}"] += 1
        return sum(result["status"] == "applied" for result in answer.body["results"])

    def _never_again(self, order: BoardOrder, sku: str) -> bool:
        return order.supplies > TRIES or chance.happens(DISCONTINUED, "discontinued", sku)

    def _where(self, order: BoardOrder) -> str:
        """A store that hands the order out itself; otherwise a distribution centre, a different one each time."""
        if order.pickup_node:
            return order.pickup_node
        centres = [node for node in self.nodes if node.kind == "distribution_centre"]
        able = [node for node in centres if not node.ships_to or order.country in node.ships_to] or centres
        nearest_first = sorted(able, key=lambda node: node.country != order.country)
        return nearest_first[(order.supplies - 1) % len(nearest_first)].id


def _cases(units: int) -> int:
    """Half as much again, in full cases: other orders may be quicker."""
    return -(-units * 3 // (2 * CASE)) * CASE
