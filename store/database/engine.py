"""Connections to PostgreSQL. Transactions are opened at the edge (an activity, a request) and passed inwards.

Every connection carries the name of its process (`application_name`), so that people and `dom doctor` see in
`pg_stat_activity` who holds how many.
"""

import json
import os
import socket
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

CONNECT_SECONDS: Final = 10
WAIT_SECONDS: Final = 30
"""How long a caller waits for a connection of the pool to become free."""
_API_WAIT_SECONDS: Final = 10
"""The same in the API: its 503 must reach callers before they give up, as many do after 30 seconds."""
NO_WAIT_FOR_DISK: Final = "set_config('synchronous_commit', 'off', true)"
"""Among what a statement answers: nobody waits until its whole transaction is on disk, which it is half a second later.
Only for what a crash of the database server may lose, because it is then done again, or not missed.
"""
_LONGEST_NAME: Final = 63
"""PostgreSQL cuts longer application names off."""
_READ_ONLY: Final = "25006"
_TIMED_OUT: Final = {"25P03", "25P04"}
"""SQLSTATEs of a session ended for idling in a transaction, and of a transaction that ran too long."""


class ProcessKind(StrEnum):
    """What a process is, as its connections say."""

    WORKER = "dom-worker"
    JOBS = "dom-jobs"
    API = "dom-api"
    COMMAND = "dom-command"


def create(url: str, pool_size: int = 8, kind: ProcessKind = ProcessKind.COMMAND) -> AsyncEngine:
    """An engine with at most `pool_size` connections; more callers wait, so that few compete for one row."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_API_WAIT_SECONDS if kind is ProcessKind.API else WAIT_SECONDS,
        connect_args={**_arguments(kind), "prepare_threshold": 3},
        json_serializer=_compact,
    )


def create_single(url: str) -> Engine:
    """An engine for one thread that opens a connection when it needs one and keeps none."""
    return create_engine(url, poolclass=NullPool, connect_args=_arguments(ProcessKind.COMMAND))


async def connect_alone(engine: AsyncEngine, kind: ProcessKind = ProcessKind.WORKER) -> psycopg.AsyncConnection[Any]:
    """A connection of the driver's own to the same database, outside the pool, where each statement stands for itself.

    Raises what the driver raises.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(url, autocommit=True, **_arguments(kind))


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements that need no transaction around them. Derive it once and keep it."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def is_overtaken(error: BaseException) -> bool:
    """Whether the transaction met another one, and was given up so that the other could go on: a deadlock, or a
    failure to serialise. Nothing of it was done, and the same again may succeed.
    """
    driver = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(driver, DeadlockDetected | SerializationFailure)


BAD_DATA: Final = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)
"""What the database refuses because of what it is given: asked again, it refuses again."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the database could not be reached, went away or takes no writes now, as opposed to refusing what was
    asked. Decided by class and SQLSTATE.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, OperationalError | InterfaceError | NoConnectionFree | TimeoutError | PendingRollbackError):
        return True
    driver = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return isinstance(driver, psycopg.Error) and (driver.sqlstate == _READ_ONLY or driver.sqlstate in _TIMED_OUT)


def _arguments(kind: ProcessKind) -> dict[str, Any]:
    name = f"{kind} {os.getpid()}@{socket.gethostname()}"
    return {"connect_timeout": CONNECT_SECONDS, "application_name": name[:_LONGEST_NAME]}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
