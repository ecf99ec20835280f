"""Signals orders what a job changed for them, and writes down who heard it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client

from processes.signals import tell
from store.database.engine import reading

_log = structlog.get_logger("keeper")


async def signal_orders(
    engine: AsyncEngine,
    client: Client,
    signal: Any,
    news: Mapping[str, object],
    *,
    gone: Callable[[AsyncConnection, str], Awaitable[None]],
    told: Callable[[AsyncConnection, Sequence[str]], Awaitable[None]],
) -> None:
    """Send each order its news. `gone` hears of each order without a process, in a transaction; `told` of the rest."""
    if not news:
        return
    heard, missing = await tell(client, signal, news)
    for order_id in missing:
        _log.warning("no process runs for an order", order_id=order_id, signal=signal.__name__)
        async with engine.begin() as connection:
            await gone(connection, order_id)
    async with reading(engine).connect() as connection:
        await told(connection, heard)
