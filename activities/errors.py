"""How domain errors cross Temporal, out of an activity and out of a workflow."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from dom.shared.errors import DomError, OutsideFailure
from dom.shared.texts import escaped


def as_application_error(error: DomError) -> ApplicationError:
    """The error as it crosses Temporal: its stable type, its text, and the field at fault.

    What we refuse is an answer and no failure: it is logged without alarm, and counts in no metric of failures.
    """
    outside = isinstance(error, OutsideFailure)
    return ApplicationError(
        escaped(error.detail),  # what a carrier says of a failure is its own text
        {"field": error.field, "data": error.data},
        type=error.type,
        non_retryable=True,
        category=ApplicationErrorCategory.UNSPECIFIED if outside else ApplicationErrorCategory.BENIGN,
    )


@contextmanager
def temporal_errors() -> Iterator[None]:
    """A domain error leaves the block as Temporal's, and is not tried again.

    What the database refuses stays retryable: it is a bug, and the order waits for its fix instead of failing.
    """
    try:
        yield
    except DomError as error:
        raise as_application_error(error) from error
