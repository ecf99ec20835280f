"""How many connections PostgreSQL gives, who holds them, and how many processes still fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg

from bootstrap.database import CONNECT_SECONDS, plain
from cli.finding import CheckVerdict, DoctorFinding
from settings import Settings
from store.database.engine import ProcessKind

_LIMITS = """
SELECT current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""
_HELD = """
SELECT application_name, usename = current_user, datname = current_database()
FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """Connections in numbers: what the server gives, what processes of ours may take, what others hold now."""

    most: int
    held: int
    workers: int
    apis: int
    others: int
    a_worker: int
    an_api: int

    @property
    def ours(self) -> int:
        """What the workers and APIs that run take at most."""
        return self.workers * self.a_worker + self.apis * self.an_api

    @property
    def room(self) -> int:
        """What is left when all of them take their most; below zero they will be refused connections."""
        return self.most - self.ours - self.others


def of_a_worker(settings: Settings) -> int:
    """Connections a worker takes at most: its pool, one for the relay, and two for the leader lock and its jobs."""
    return settings.db_pool_size + 1 + (2 if settings.background_jobs else 0)


def of_an_api(settings: Settings) -> int:
    """Connections a process of the API takes at most."""
    return settings.db_pool_size


def look(settings: Settings, url: str) -> Budget:
    """The budget of the server at this URL, by names in `pg_stat_activity`; raises psycopg.Error."""
    with psycopg.connect(plain(url), connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
        limits = connection.execute(_LIMITS).fetchone()
        rows = connection.execute(_HELD).fetchall()
    assert limits is not None  # noqa: S101 -- a SELECT without FROM has a row
    server, role, database = limits
    names = [str(name) for name, _, _ in rows]
    by_kind = Counter(name.partition(" ")[0] for name in names)
    workers = {
        name.partition(" ")[2] for name in names if name.startswith((f"{ProcessKind.WORKER} ", f"{ProcessKind.JOBS} "))
    }
    apis = {name for name in names if name.startswith(f"{ProcessKind.API} ")}
    known = by_kind[ProcessKind.WORKER] + by_kind[ProcessKind.JOBS] + by_kind[ProcessKind.API]
    not_ours_of_role = sum(1 for _, same, _ in rows if same) - known
    not_ours_of_database = sum(1 for _, _, same in rows if same) - known
    most = min(
        server,
        role + len(rows) - known - not_ours_of_role if role >= 0 else server,
        database + len(rows) - known - not_ours_of_database if database >= 0 else server,
    )
    return Budget(
        most=most,
        held=len(rows),
        workers=len(workers),
        apis=len(apis),
        others=len(rows) - known,
        a_worker=of_a_worker(settings),
        an_api=of_an_api(settings),
    )


def finding(settings: Settings, url: str) -> DoctorFinding:
    """The budget in words; a note where the processes that run may ask for more than there is."""
    try:
        budget = look(settings, url)
    except psycopg.Error as error:
        return DoctorFinding(
            "connections", CheckVerdict.NOTE, f"cannot be counted ({str(error).strip().splitlines()[0]})"
        )
    taken = (
        f"{budget.held} of {budget.most} are open; at most {budget.a_worker} for each of {budget.workers} workers and "
        f"{budget.an_api} for each of {budget.apis} APIs, others hold {budget.others} now"
    )
    if budget.room < budget.a_worker:
        words = f"{taken}: no room for another worker. Raise max_connections, or lower DOM_DB_POOL_SIZE"
        return DoctorFinding("connections", CheckVerdict.NOTE, words)
    fits = f"room for {budget.room // budget.a_worker} more workers or {budget.room // budget.an_api} more APIs"
    return DoctorFinding("connections", CheckVerdict.FINE, f"{taken}: {fits}")
