"""Connections to PostgreSQL. Transactions are opened at the edge (an activity, a request) and passed inwards."""

import json
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def create(url: str, pool_size: int = 8) -> AsyncEngine:
    """An engine with at most `pool_size` connections; more callers wait, so that few compete for one row."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"connect_timeout": 10, "prepare_threshold": 3},
        json_serializer=_compact,
    )


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements that need no transaction around them. Derive it once and keep it."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def is_unavailable(error: BaseException) -> bool:
    """Whether the database could not be reached or went away, as opposed to refusing what was asked."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | TimeoutError)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
