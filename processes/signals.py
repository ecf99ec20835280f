"""Tells orders' processes by signal, many at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from temporalio.client import Client
from temporalio.service import RPCError

from bootstrap import refusals
from dom.shared import ids

SIGNALS_AT_ONCE: Final = 16


async def tell(client: Client, signal: Any, news: Mapping[str, object]) -> tuple[Sequence[str], Sequence[str]]:
    """Send each order its news; answers the orders that heard it, and those for which no process runs."""
    at_once = asyncio.Semaphore(SIGNALS_AT_ONCE)

    async def heard(order_id: str) -> bool:
        handle = client.get_workflow_handle(ids.order_workflow_id(order_id))
        async with at_once:
            try:
                await handle.signal(signal, news[order_id])
            except RPCError as error:
                if not refusals.is_about_workflow(error):
                    raise
                return False
        return True

    answers = dict(zip(news, await asyncio.gather(*map(heard, news)), strict=True))
    return [each for each, it in answers.items() if it], [each for each, it in answers.items() if not it]
