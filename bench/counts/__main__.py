"""`python -m bench.counts [--orders N] [--idle SECONDS] [--json FILE]`: statements, commits and events, counted."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import mean
from time import monotonic
from typing import Any

import uvloop
from rich.console import Console

import worker
from bench import servers
from bench.counts.delivery import deliver
from bench.counts.meter import STATISTICS_SECONDS, Counts, Meter
from bench.door import door
from bench.histories import history_of
from bench.orders import Sample, make_plenty
from bench.servers import Servers
from cli.problems import StartProblem
from cli.schema import SAMPLE_DATA
from cli.supervisor import ProcessEnded
from dom.shared import ids

WARM_UP_ORDERS = 3
REST_SECONDS = 20.0
"""After all is started or delivered: what was begun comes to its end, and looks that are rare are over."""


def main() -> int:
    """Counts and prints; exit code 1 when the servers cannot be started, 130 after Ctrl-C."""
    options = _options()
    console = Console(soft_wrap=True, highlight=False, stderr=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder,
            servers.running(Path(folder), console.print) as running,
        ):
            log = Path(folder) / "log" / "postgres.log"
            found = uvloop.run(count(running, log, options.orders, options.idle))
    except StartProblem as problem:
        console.print(f"bench: {problem}", style="red")
        return 1
    except (ProcessEnded, KeyboardInterrupt):
        return 130
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


async def count(running: Servers, log: Path, orders: int, idle_seconds: float) -> dict[str, Any]:
    """An idle system for so many seconds, then so many one-line orders, one after the other."""
    temporal = await worker.connect(running.settings)
    meter, sample = Meter(running.addresses.database_url, log), Sample(SAMPLE_DATA, 1, 40)
    try:
        async with door(running.addresses.api_url, running.key) as api:
            await make_plenty(api, sample.skus)
            for _ in range(WARM_UP_ORDERS):
                await deliver(api, meter, sample.next())
            await asyncio.sleep(REST_SECONDS)
            meter.begin()
            await asyncio.sleep(idle_seconds)
            idle = meter.read(idle_seconds)
            began = monotonic()
            meter.begin()
            delivered = [await deliver(api, meter, sample.next()) for _ in range(orders)]
            await asyncio.sleep(STATISTICS_SECONDS)
            busy = meter.read(monotonic() - began).above(idle)
        histories = [await history_of(temporal, ids.order_workflow_id(each)) for each in delivered]
    finally:
        meter.close()
    return {
        "idle system, a second": _shared(idle, idle.seconds),
        "one-line order, delivered": {
            **_shared(busy, orders),
            "events": mean(each.events for each in histories),
            "workflow tasks": mean(each.tasks for each in histories),
            "remote activities": mean(each.remote for each in histories),
            "history bytes": round(mean(each.bytes for each in histories)),
        },
    }


def _shared(counts: Counts, by: float) -> dict[str, Any]:
    return {
        "statements": round(counts.statements.total() / by, 1),
        "statements by process": {name: round(n / by, 1) for name, n in sorted(counts.statements.items())},
        "commits": round(counts.commits / by, 1),
        "flushes": round(counts.flushes / by, 2),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.counts", description=__doc__)
    parser.add_argument("--orders", type=int, default=20, help="one-line orders that are delivered")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds the house is left alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the counts to a file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
