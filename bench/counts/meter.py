"""Counts statements, commits and flushes of a PostgreSQL that logs every statement."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

STATISTICS_SECONDS: Final = 11.0
"""A session that is idle hands its statistics in after 10 s."""
_STATEMENT: Final = re.compile(r"\[(?P<pid>\d+)\] LOG:  (?:execute|statement)\b")
_LOG_ALL: Final = ("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
_SESSIONS: Final = "SELECT pid, split_part(application_name, ' ', 1) FROM pg_stat_activity WHERE usename IS NOT NULL"
_COMMITS: Final = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
_FLUSHES: Final = "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in so many seconds: statements by the kind of process, commits, flushes of the log to disk."""

    seconds: float
    statements: Counter[str]
    commits: int
    flushes: int

    def above(self, idle: Counts) -> Counts:
        """What was more than an idle system asks for in the same time."""
        share = self.seconds / idle.seconds
        return Counts(
            self.seconds,
            self.statements - Counter({name: round(count * share) for name, count in idle.statements.items()}),
            max(self.commits - round(idle.commits * share), 0),
            max(self.flushes - round(idle.flushes * share), 0),
        )


def statements_in(lines: list[str], kinds: dict[int, str], own_pid: int) -> Counter[str]:
    """Statements in lines of the server's log by the kind of process that asked, but for our own."""
    pids = [int(found["pid"]) for line in lines if (found := _STATEMENT.search(line))]
    return Counter(kinds.get(pid, "other") for pid in pids if pid != own_pid)


class Meter:
    """Reads the log and the statistics. Its own statements do not count."""

    def __init__(self, database_url: str, log: Path) -> None:
        url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)
        self._log = log
        self._kinds: dict[int, str] = {}
        self._asked = self._offset = self._commits = self._flushes = 0
        for statement in _LOG_ALL:
            self.ask(statement)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement that counts nowhere."""
        self._asked += 1
        cursor = self._connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def begin(self) -> None:
        """Count from now on."""
        self._offset = self._log.stat().st_size
        self._commits, self._flushes = self._numbers()
        self._asked = 0

    def read(self, seconds: float) -> Counts:
        """What was asked in the seconds since `begin`. Call it STATISTICS_SECONDS after the last of it."""
        self._kinds |= dict(self.ask(_SESSIONS))
        with self._log.open(errors="replace") as log:
            log.seek(self._offset)
            found = statements_in(log.readlines(), self._kinds, self._connection.info.backend_pid)
        own = self._asked
        commits, flushes = self._numbers()
        return Counts(seconds, found, commits - self._commits - own, flushes - self._flushes)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _numbers(self) -> tuple[int, int]:
        self.ask("SELECT pg_stat_force_next_flush()")
        return int(self.ask(_COMMITS)[0][0]), int(self.ask(_FLUSHES)[0][0])
