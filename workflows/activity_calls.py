"""How workflows call activities: one place for time-outs and retries, and for what an activity's refusal means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from workflows.messages import REQUEST

_LOCAL_RETRY: Final = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10))
_REMOTE_RETRY: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=2))


async def local(method: Callable[..., Any], request: Any, summary: str) -> Any:
    """Run an activity that touches only our database, in the worker itself, until it succeeds or refuses."""
    return await workflow.execute_local_activity_method(
        method,
        request,
        start_to_close_timeout=timedelta(seconds=20),
        retry_policy=_LOCAL_RETRY,
        summary=summary,
    )


def remote(
    method: Callable[..., Any], request: Any, summary: str, *, give_up_after: timedelta | None = None
) -> "workflow.ActivityHandle[Any]":
    """Start an activity that leaves the system; retried until it succeeds, is refused, or `give_up_after` has passed.

    Cancelling the handle waits for an attempt that is under way, so that its effect is known.
    """
    return workflow.start_activity_method(
        method,
        request,
        start_to_close_timeout=timedelta(seconds=60),
        schedule_to_close_timeout=give_up_after,
        retry_policy=_REMOTE_RETRY,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )


REFUSALS: Final = (ActivityError, ApplicationError)
"""What a refusing activity raises: a remote one wraps its error, a local one does not."""


def refusal(error: FailureError) -> ApplicationError:
    """What an activity refused, as an error of the workflow's own. Anything else is passed on as it is."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if not isinstance(cause, ApplicationError):
        raise error
    return again(cause)


def again(error: ApplicationError) -> ApplicationError:
    """The same refusal for another listener: an exception raised twice would carry the first one's traceback."""
    return ApplicationError(error.message, *error.details, type=error.type, non_retryable=True)


@contextmanager
def answering(request_hash: str) -> Iterator[None]:
    """A refusal says which request it answers: the server gives it again to whoever uses the update's id again."""
    try:
        yield
    except ApplicationError as error:
        details = error.details[0] if error.details else {}
        told = {**details, REQUEST: request_hash}
        raise ApplicationError(error.message, told, type=error.type, non_retryable=True) from error
