"""Channels hand over their orders, in the order of time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.api import Api
from simulator.board import Board, BoardOrder
from simulator.cases import Case
from simulator.checkouts import Checkouts
from simulator.clock import Clock
from simulator.goods_in import GoodsIn
from simulator.sample import Cancellation
from simulator.tasks import SimulatorTasks

SEND = "POST /orders"
CREATED = 201
UNANSWERED = 6
"""Orders the channels have under way to the API at once; more would only queue behind each other there."""


def order_id(channel: str, external_id: str) -> str:
    """The system's id of an order, as its documentation builds it from channel and order number."""
    return f"{channel}-{external_id}"


@dataclass(slots=True)
class ChannelPlayers:
    """All channels together; `cancellations` by (channel, order number) are what customers will ask for later.

    `cases` by order number are sent at once, as are the first `opening` orders.
    """

    api: Api
    board: Board
    clock: Clock
    tasks: SimulatorTasks
    goods_in: GoodsIn
    cancellations: dict[tuple[str, str], list[Cancellation]]
    checkouts: Checkouts
    cases: Mapping[str, Case] = field(default_factory=dict)
    opening: int = 0
    _lines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNANSWERED))

    async def send_all(self, requests: Iterable[dict[str, Any]]) -> None:
        """Sends every order at its time, or when there is room for it; answers are not waited for in turn."""
        for number, request in enumerate(requests):
            order = self._written_down(request)
            if number >= self.opening:
                await self.clock.until_next_order(order.placed_at)
            await self.goods_in.unload(order.placed_at)
            self.goods_in.supply(order.placed_at)
            if order.case is Case.WAITING:
                await self.goods_in.recall(order, sorted({line["sku"] for line in request["lines"]}))
            await self.board.start(order)
            self.tasks.start_for(order, self._send(order, request))
        self.board.all_sent = True

    async def _send(self, order: BoardOrder, request: dict[str, Any]) -> None:
        async with self._lines:
            placed = await self.checkouts.pass_through(request)
            answer = await self.api.post(SEND, "/orders", placed)
        if not answer.ok:
            self.board.tally.refusals[f"{SEND}: {answer.problem}"] += 1
            self.board.refuse(order, answer.problem)
            return
        # After a lost answer the API rightly says that it has the order already; it is new all the same.
        order.repeated = answer.status != CREATED and answer.attempts == 1
        if order.repeated:
            self.board.tally.repeated += 1
        else:
            self.board.tally.captured += 1
        self.board.answered(order, answer.body)
        self.board.note(f"{order.id}: captured, {_many(order.ordered)}, for {order.country}")

    def _written_down(self, request: dict[str, Any]) -> BoardOrder:
        units = {line["line_id"]: line["quantity"] for line in request["lines"]}
        number = request["external_id"]
        return BoardOrder(
            id=order_id(request["channel"], number),
            channel=request["channel"],
            placed_at=datetime.fromisoformat(request["placed_at"]),
            country=request["ship_to"]["country"],
            pickup_node=request.get("pickup_node") or "",
            ordered=units,
            cancellations=deque(self.cancellations.get((request["channel"], number), ())),
            case=self.cases.get(number),
        )


def _many(units: Mapping[str, int]) -> str:
    lines, quantity = len(units), sum(units.values())
    return f"{lines} line{'s' * (lines != 1)}, {quantity:,} unit{'s' * (quantity != 1)}"
