"""`python -m bench [--quick] [--json FILE]`: what the frame costs, in one run and one table."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import uvloop
from rich.console import Console

from bench import rounds, servers, table
from bench.results import Results
from cli.problems import StartProblem
from cli.supervisor import ProcessEnded

INTERRUPTED = 130


def main() -> int:
    """Measures and prints; exit code 1 when the servers cannot be started, 130 after Ctrl-C."""
    options = _options()
    console = Console(soft_wrap=True, highlight=False)
    began = perf_counter()

    def say(line: str) -> None:
        console.print(f"{perf_counter() - began:6.1f} s  {line}", style="dim")

    try:
        results = _measured(rounds.QUICK if options.quick else rounds.FULL, say)
    except StartProblem as problem:
        console.print(f"bench: {problem}", style="red")
        return 1
    except (ProcessEnded, KeyboardInterrupt):
        return INTERRUPTED
    table.show(results, console)
    if options.json:
        options.json.write_text(json.dumps(results.as_json(), indent=1))
    return 0


def _measured(plan: rounds.Plan, say: rounds.Say) -> Results:
    with (
        tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder,
        servers.running(Path(folder), say) as running,
    ):
        return uvloop.run(rounds.run(running, plan, say))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, in well under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
