"""One run of a workflow: it is not stopped where it stands, knows whether it was reset, and when it is long enough."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow

R = TypeVar("R")
ANSWERS_LEAVE: Final = timedelta(milliseconds=100)
"""How long a workflow stays open for the answers it has just given."""


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


class Answers:
    """Whether an update was answered in the workflow task that runs.

    A task that ends the workflow is refused by the server if a signal came meanwhile. The task is done again, but an
    update that it answered is not: the caller gets an error, and the workflow forgets the update, although its effect
    is in the store. So a workflow does not end in the task in which it gave an answer.
    """

    def __init__(self) -> None:
        self._given_at = -1

    def note(self) -> None:
        """An update is answered now."""
        self._given_at = workflow.info().get_current_history_length()

    def are_leaving(self) -> bool:
        """Whether an answer leaves with this task."""
        return self._given_at == workflow.info().get_current_history_length()


def is_long(most_events: int | None) -> bool:
    """Whether the history is so long that the process should go on in a new run; never for None."""
    if most_events is None:
        return False
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= most_events
