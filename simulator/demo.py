"""A run from start to end: everybody is put to work, watched, and sent home when every order is done."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

import httpx
from rich.console import Console

from simulator.api import CALLS_AT_ONCE, TIMEOUT, Api, ApiUnreachable, Credentials
from simulator.board import Board, BoardOrder
from simulator.carriers import Carriers
from simulator.channels import ChannelPlayers, order_id
from simulator.checkouts import Checkouts
from simulator.clock import Clock
from simulator.config import Config
from simulator.customers import GET_ORDER, Customers
from simulator.follow_up import FollowUp, seconds_without_change
from simulator.goods_in import GoodsIn
from simulator.nodes import Nodes
from simulator.sample import WEEK, Sample, whole_weeks
from simulator.show import Progress
from simulator.summary import Summary, summarise
from simulator.tasks import SimulatorTasks

COSTS_ASKED = 200
GET_COST = "GET /orders/{id} for its cost"
CONNECTIONS = httpx.Limits(max_connections=CALLS_AT_ONCE, max_keepalive_connections=CALLS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Edition:
    """Under which dates and order numbers the sample is replayed."""

    shift: timedelta
    tag: str = ""


async def run(
    config: Config, *, transport: httpx.AsyncBaseTransport | None = None, console: Console | None = None
) -> Summary:
    """Replays the sample against an API and answers what came of it; progress goes to the console.

    Never raises for what the API does: the summary says what went wrong. Raises OSError for a sample that cannot be
    read or a report that cannot be written.
    """
    sample = Sample(config.sample)
    console = console or Console(quiet=True)
    async with connect(config, transport) as api:
        board = Board(None if config.speed else config.in_flight)
        began = monotonic()
        trouble = await _replay(config, sample, api, board, console)
        wall_seconds = monotonic() - began
        costs = [] if trouble else await _costs(api, board)
        summary = summarise(
            board, api.calls, sample=sample.report, costs=costs, wall_seconds=wall_seconds, trouble=trouble
        )
    if config.report:
        config.report.write_text(json.dumps(asdict(summary), indent=2))
    return summary


@asynccontextmanager
async def connect(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Api]:
    """The client all players of a run share."""
    async with httpx.AsyncClient(
        base_url=config.api_url, transport=transport, timeout=TIMEOUT, limits=CONNECTIONS, auth=Credentials(config.keys)
    ) as client:
        yield Api(client, config.patience)


async def edition(api: Api, sample: Sample, *, fresh: bool) -> Edition:
    """The dates of the earlier run on this data, so that its orders are known again; otherwise new ones.

    A fresh edition gets the first tag under which nothing was sent yet.
    """
    first = sample.first_order()
    new = whole_weeks(sample.last_moment(), datetime.now(UTC))
    if fresh:
        for number in count(2):
            if await _placed_at(api, first["channel"], f"{first['external_id']}-r{number}") is None:
                return Edition(new, f"-r{number}")
    placed_at = await _placed_at(api, first["channel"], first["external_id"])
    if placed_at is None:
        return Edition(new)
    earlier = placed_at - datetime.fromisoformat(first["placed_at"])
    return Edition(new if earlier % WEEK else earlier)


async def _placed_at(api: Api, channel: str, external_id: str) -> datetime | None:
    answer = await api.get(GET_ORDER, f"/orders/{order_id(channel, external_id)}")
    return datetime.fromisoformat(answer.body["placed_at"]) if answer.ok else None


async def _replay(config: Config, sample: Sample, api: Api, board: Board, console: Console) -> str:
    """Plays all parts; answers what made it give up, or nothing."""
    try:
        chosen = await edition(api, sample, fresh=config.fresh)
        async with asyncio.TaskGroup() as group:
            tasks = SimulatorTasks(board, group)
            stage = set_stage(config, sample, api, board, tasks, chosen)
            with Progress(console, board, api.calls, min(config.orders, len(sample))) as progress:
                tasks.start(progress.run())
                trouble = await stage.play(sample.orders(config.orders, chosen.shift, chosen.tag))
            tasks.cancel_all()
    except* ApiUnreachable as gone:
        trouble = "; ".join(str(error) for error in gone.exceptions)
    return trouble


@dataclass(frozen=True, slots=True)
class Stage:
    """All players, and the end of the play."""

    board: Board
    clock: Clock
    tasks: SimulatorTasks
    channels: ChannelPlayers
    nodes: Nodes
    carriers: Carriers
    goods_in: GoodsIn
    follow_up: FollowUp
    patience: float
    watch: float

    async def play(self, requests: Iterable[dict[str, object]]) -> str:
        """Until every order is done; answers why it was given up, or nothing."""
        self.tasks.start(self._look_after_work())
        self.tasks.start(self.carriers.report())
        self.tasks.start(self.channels.send_all(requests))
        while not await self._is_over():
            await asyncio.sleep(self.watch)
            if not self.clock.sleepers and seconds_without_change(self.board) > self.patience:
                return f"nothing has moved for {self.patience:.0f} seconds"
        return ""

    async def _look_after_work(self) -> None:
        while True:
            asked = await self.nodes.look()
            self.follow_up.settle(asked)
            await asyncio.sleep(self.nodes.pause(asked))

    async def _is_over(self) -> bool:
        if not self.board.all_sent:
            return False
        self.goods_in.supply()
        if self.board.open or self.board.waiting or self.tasks.busy:
            return False
        return not await self.follow_up.find_open()


def set_stage(config: Config, sample: Sample, api: Api, board: Board, tasks: SimulatorTasks, chosen: Edition) -> Stage:
    """All players of a run, and what they share."""
    clock = Clock(config.speed)
    customers = Customers(api, board, clock)
    carriers = Carriers(api, board, clock, config.pace)
    receipts = deque(sample.receipts(chosen.shift))
    goods_in = GoodsIn(api, board, clock, tasks, customers, sample.nodes, receipts, chosen.tag, config.pace)
    cancellations = sample.cancellations(chosen.shift, chosen.tag)
    return Stage(
        board=board,
        clock=clock,
        tasks=tasks,
        channels=ChannelPlayers(api, board, clock, tasks, goods_in, cancellations, Checkouts(api, board)),
        nodes=Nodes(api, board, clock, tasks, carriers, customers, config.pace),
        carriers=carriers,
        goods_in=goods_in,
        follow_up=FollowUp(api, board, tasks, customers, config.pace),
        patience=config.patience,
        watch=config.pace.look,
    )


async def _costs(api: Api, board: Board) -> list[int]:
    """Planned freight and handling of some delivered orders, evenly spread over the run."""
    delivered = [order for order in board.orders.values() if order.status == "delivered"]
    chosen = delivered[:: max(1, len(delivered) // COSTS_ASKED)][:COSTS_ASKED]
    try:
        return list(await asyncio.gather(*(_cost(api, order) for order in chosen)))
    except ApiUnreachable:
        return []


async def _cost(api: Api, order: BoardOrder) -> int:
    answer = await api.get(GET_COST, f"/orders/{order.id}")
    arrived = [f for f in answer.body.get("fulfilments", ()) if f["status"] in {"delivered", "collected"}]
    return sum(fulfilment["cost"] for fulfilment in arrived)
