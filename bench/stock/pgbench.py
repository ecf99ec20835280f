"""`pgbench` of the system's own PostgreSQL: its own test as the yardstick, and the store's statement as a script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cli.embedded import postgres

Mode = Literal["simple", "prepared"]

SCALE = 10
THREADS = 2


@dataclass(frozen=True, slots=True)
class PgBench:
    """Runs it against a database; `url` as libpq reads it."""

    url: str

    def prepare(self) -> None:
        """Its own tables: a million accounts."""
        self._run("-i", "-s", str(SCALE), "-q")

    def without_branches(self, clients: int, seconds: float, mode: Mode) -> float:
        """Transactions a second of `pgbench -N`: its standard transaction without the rows that all compete for."""
        return self._rate("-N", clients, seconds, mode)

    def of_script(self, script: Path, clients: int, seconds: float, mode: Mode) -> float:
        """Transactions a second of a script."""
        return self._rate(f"-f{script}", clients, seconds, mode)

    def _rate(self, what: str, clients: int, seconds: float, mode: Mode) -> float:
        load = ("-c", str(clients), "-j", str(THREADS), "-T", str(max(round(seconds), 1)), "-M", mode)
        return rate_of(self._run("-n", what, *load))

    def _run(self, *arguments: str) -> str:
        program = postgres.binary("pgbench")
        answer = subprocess.run([program, *arguments, self.url], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise RuntimeError(f"pgbench {' '.join(arguments)}: {answer.stderr.strip()[-500:]}")
        return answer.stdout


def rate_of(report: str) -> float:
    """Transactions a second in what pgbench says; raises ValueError if there are none, or if some failed."""
    rate = re.search(r"^tps = ([\d.]+)", report, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", report, re.MULTILINE)
    if rate is None or (failed is not None and failed[1] != "0"):
        raise ValueError(f"pgbench measured nothing that counts: {report.strip()[-500:]}")
    return float(rate[1])


def script(statement: str, values: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """A statement as the driver gets it, as a script: each `%(name)s` replaced by an expression of the `variables`.

    Raises KeyError for a parameter without a value.
    """
    filled = re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], statement).replace("%%", "%")
    lines = [f"\\set {name} {value}" for name, value in variables.items()]
    return "\n".join([*lines, " ".join(filled.split()) + ";", ""])
