"""Orders nobody works for at the moment: ended, waiting for stock, or not where they were thought to be."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic

from simulator.api import Api
from simulator.board import FINAL_ORDER, Board, BoardOrder, Phase
from simulator.config import Pace
from simulator.customers import GET_ORDER, Customers
from simulator.goods_in import LEAD_TIME
from simulator.tasks import SimulatorTasks

OPEN_ORDERS = "GET /orders"
OPEN_STATUSES = ("accepted", "backordered", "in_fulfilment", "part_shipped", "shipped")
DOUBTS = 2
"""How often an order whose work went wrong is seen without a node before it counts as waiting for stock."""


@dataclass(slots=True)
class FollowUp:
    """Finds out how orders stand, asking only about those that did not go the plain way."""

    api: Api
    board: Board
    tasks: SimulatorTasks
    customers: Customers
    pace: Pace

    def settle(self, asked: float) -> None:
        """Looks after the orders that were quiet when the work lists were asked for."""
        for order in self.board.quiet(asked):
            order.look_at = inf
            self.tasks.start_for(order, self._settle(order))

    async def _settle(self, order: BoardOrder) -> None:
        if order.plain and not order.repeated and not order.doubts:
            self._end(order, "delivered")
            return
        answer = await self.api.get(GET_ORDER, f"/orders/{order.id}")
        if answer.ok and answer.body["status"] in FINAL_ORDER:
            self._end(order, answer.body["status"])
        elif answer.ok and any(line["backordered"] for line in answer.body["lines"]) and self._is_sure(order):
            since = order.waits_since
            self.board.park(order, since + LEAD_TIME if since else order.placed_at)
        else:
            self.board.reopen(order, self.pace.look_again)

    def _is_sure(self, order: BoardOrder) -> bool:
        """A rejected or lost order is without a node for a moment, while another one is found."""
        order.doubts += 1
        return (not order.touched and not order.supplies) or order.doubts % DOUBTS == 0

    def _end(self, order: BoardOrder, status: str) -> None:
        self.board.close(order, status)
        if any(fulfilment.spoiled for fulfilment in order.fulfilments.values()):
            self.tasks.start_for(order, self._take_back(order, status))
        elif status == "delivered":
            self.tasks.start_for(order, self.customers.send_back(order))

    async def _take_back(self, order: BoardOrder, status: str) -> None:
        """Parcels that did not reach the customer come in before what the customer sends back."""
        await self.customers.take_parcels_in(order)
        if status == "delivered":
            await self.customers.send_back(order)

    async def find_open(self) -> int:
        """How many orders of this run the system holds open; those thought closed are followed up anew."""
        found = 0
        for status in OPEN_STATUSES:
            async for item in self.api.pages(OPEN_ORDERS, "/orders", [("status", status)]):
                order = self.board.orders.get(item["order_id"])
                if order is None:
                    continue
                found += 1
                if order.phase is Phase.CLOSED:
                    order.doubts += 1
                    self.board.reopen(order, self.pace.look_again)
        return found


def seconds_without_change(board: Board) -> float:
    """How long nothing has moved."""
    return monotonic() - board.last_change
