"""A replay for people: a batch at full speed and its summary, then the next orders at a pace one can follow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import httpx
from rich.console import Console

from simulator.api import Api, ApiUnreachable
from simulator.board import Board
from simulator.cases import OPENING, choose_cases
from simulator.channels import order_id
from simulator.config import Config, Pace
from simulator.customers import GET_ORDER
from simulator.demo import Edition, Stage, connect, edition, run, set_stage
from simulator.guide import Guide
from simulator.sample import Sample
from simulator.show import Progress, show_summary
from simulator.tasks import SimulatorTasks

SPEED = 60.0
"""A business minute a second."""
PACE = Pace(look=1.0, idle_look=1.0, slowest_look=5.0)
LINE_SECONDS = 30.0


async def run_live(
    config: Config,
    *,
    temporal_ui: str = "",
    transport: httpx.AsyncBaseTransport | None = None,
    console: Console | None = None,
) -> None:
    """Replays `config.orders` orders at full speed, then the rest of the sample at `config.speed`, or `SPEED` if 0.

    What an earlier run on the same data sent is brought to its end first, with the batch. `temporal_ui` is the address
    of a namespace in the Temporal UI, for the links. Raises OSError for a sample that cannot be read.
    """
    console = console or Console(quiet=True)
    sample = Sample(config.sample)
    try:
        async with connect(config, transport) as api:
            sent = await _sent_before(api, sample, await edition(api, sample, fresh=False))
    except ApiUnreachable as gone:
        console.print(f"The replay cannot begin: {gone}", style="bold red", highlight=False, markup=False)
        return
    batch = min(max(config.orders, sent), len(sample))
    summary = await run(replace(config, orders=batch, speed=0.0), transport=transport, console=console)
    show_summary(console, summary, details=False)
    if batch == len(sample):
        trouble = ""
    else:
        paced = replace(config, speed=config.speed or SPEED, pace=PACE)
        trouble = summary.trouble or await _go_on(paced, sample, batch, temporal_ui, transport, console)
    end = f"The replay has stopped: {trouble}" if trouble else "Every order of the sample has been replayed."
    console.print(f"{end} The system keeps serving.", highlight=False, markup=False)


async def _sent_before(api: Api, sample: Sample, chosen: Edition) -> int:
    """How many orders an earlier run sent; they were sent in sequence."""
    requests = list(sample.orders(len(sample), chosen.shift, chosen.tag))
    first, last = 0, len(requests)
    while first < last:
        middle = (first + last) // 2
        name = order_id(requests[middle]["channel"], requests[middle]["external_id"])
        known = (await api.get(GET_ORDER, f"/orders/{name}")).ok
        first, last = (middle + 1, last) if known else (first, middle)
    return first


async def _go_on(
    config: Config,
    sample: Sample,
    batch: int,
    temporal_ui: str,
    transport: httpx.AsyncBaseTransport | None,
    console: Console,
) -> str:
    """Replays what follows the batch; answers why it was given up, or nothing."""
    trouble = ""
    async with connect(config, transport) as api:
        try:
            chosen = await edition(api, sample, fresh=False)
            requests = list(islice(sample.orders(len(sample), chosen.shift, chosen.tag), batch, None))
            board = Board(None, narrates=True)
            async with asyncio.TaskGroup() as group:
                tasks = SimulatorTasks(board, group)
                stage = set_stage(config, sample, api, board, tasks, chosen)
                await _begin(stage, requests)
                guide = Guide(api, board, console, config.api_url, temporal_ui, config.keys)
                shown = Progress(console, board, api.calls, len(requests), paced=stage.clock, line_seconds=LINE_SECONDS)
                with shown as progress:
                    tasks.start(progress.run())
                    tasks.start(guide.lead(len(stage.channels.cases)))
                    trouble = await stage.play(requests)
                tasks.cancel_all()
        except* ApiUnreachable as gone:
            trouble = "; ".join(str(error) for error in gone.exceptions)
    return trouble


async def _begin(stage: Stage, requests: Sequence[dict[str, Any]]) -> None:
    """Sets the clock to the first order, and chooses what becomes of the first few."""
    await stage.clock.until(datetime.fromisoformat(requests[0]["placed_at"]))
    opening = requests[:OPENING]
    cancelled = [number for _, number in stage.channels.cancellations]
    stage.channels.opening = len(opening)
    stage.channels.cases = choose_cases(opening, cancelled)
