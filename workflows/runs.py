"""One run of a workflow: it is not stopped where it stands, and knows when it is long enough."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow

R = TypeVar("R")
EARLIER_RUN: Final = "an earlier run of the process"
"""Who asked first for what goes on: not the one who asks now."""
ANSWERS_LEAVE: Final = timedelta(milliseconds=100)
"""How long a workflow stays open for the answers it has just given."""


class CancellationRequest:
    """Temporal's own request to cancel a workflow.

    It would stop the process where it stands and leave stock reserved and carriers booked. It is a message here, like
    others: `carry_out` is run, and the process goes on. The server delivers one request a run, so there is no second
    one to wait for.
    """

    def __init__(self, carry_out: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._carry_out = carry_out
        self._carrying_out: asyncio.Task[None] | None = None

    async def beside(self, process: Coroutine[Any, Any, R]) -> R:
        """Run the process to its own end, whatever Temporal is asked."""
        running = asyncio.create_task(process)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if running.done():  # its own end came first
                return await running
            if workflow.cancellation_reason() is None:  # the worker puts it aside
                raise
        self._carrying_out = asyncio.create_task(self._carry_out())
        return await running

    @property
    def is_carried_out(self) -> bool:
        """Whether no request waits: neither one that came in this very moment, nor one that is being carried out."""
        if self._carrying_out is None:
            return workflow.cancellation_reason() is None
        return self._carrying_out.done()


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
