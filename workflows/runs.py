"""One run of a workflow: it is not stopped where it stands, knows whether it was reset, and when it is long enough."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio import workflow

R = TypeVar("R")


async def undisturbed(process: Coroutine[Any, Any, R], cancellation_requested: Callable[[], None]) -> R:
    """Run the process to its own end, whatever Temporal is asked.

    Temporal's own cancellation would stop the process where it stands and leave stock reserved and carriers booked. It
    is a message here, like others: `cancellation_requested` is called, and the process goes on. The server delivers one
    request a run, so there is no second one to wait for.
    """
    running = asyncio.create_task(process)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if running.done() or workflow.cancellation_reason() is None:  # its own end, or the worker puts it aside
            raise
    cancellation_requested()
    return await running


def is_first_run() -> bool:
    """Whether this run was not reset: one that was hears from its history once more what happened before."""
    info = workflow.info()
    return info.run_id == info.first_execution_run_id


def is_long(most_events: int | None) -> bool:
    """Whether the history is so long that the process should go on in a new run; never for None."""
    if most_events is None:
        return False
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= most_events
