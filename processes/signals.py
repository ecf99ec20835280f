"""Signals workflows, many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from bootstrap import refusals
from dom.shared import ids

SIGNALS_AT_ONCE: Final = 16

R = TypeVar("R")


async def send(client: Client, workflow_id: str, signal: Any, message: object) -> bool:
    """Send a signal; False if no such workflow runs."""
    try:
        await client.get_workflow_handle(workflow_id).signal(signal, message)
    except RPCError as error:
        if not refusals.is_about_workflow(error):
            raise
        return False
    return True


async def some_at_once(workflow_ids: Iterable[str], signalled: Callable[[str], Awaitable[R]]) -> list[R]:
    """What `signalled` answers for each workflow, in their sequence; at most 16 are signalled at once."""
    at_once = asyncio.Semaphore(SIGNALS_AT_ONCE)

    async def one(workflow_id: str) -> R:
        async with at_once:
            return await signalled(workflow_id)

    return await asyncio.gather(*map(one, workflow_ids))


async def tell(client: Client, signal: Any, news: Mapping[str, object]) -> tuple[Sequence[str], Sequence[str]]:
    """Send each order its news; answers the orders that heard it, and those for which no process runs."""

    async def heard(order_id: str) -> bool:
        return await send(client, ids.order_workflow_id(order_id), signal, news[order_id])

    answers = dict(zip(news, await some_at_once(news, heard), strict=True))
    return [each for each, it in answers.items() if it], [each for each, it in answers.items() if not it]
