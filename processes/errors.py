"""What can go wrong between a caller and a durable process, in our own errors."""

from collections.abc import Mapping
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from dom.shared.errors import Conflict, DomError, by_type

NO_NAMESPACE: Final = "the Temporal namespace of the orders is missing; run `dom prepare`"
_WRONG_ENDS: Final = "AcceptedUpdateCompletedWorkflow"
"""What the Temporal server says to an update whose workflow ended before it was answered."""


class Unavailable(Exception):
    """A server we need cannot be reached now."""


class NotReady(Exception):
    """A server answers but lacks what the API needs; the text says what, and what to do."""


def domain_error(failure: BaseException) -> DomError | None:
    """The domain error that crossed Temporal as this failure; None if it was another one."""
    if not isinstance(failure, ApplicationError):
        return None
    if failure.type == _WRONG_ENDS:
        return Conflict("it ended before the request could be carried out")
    cls = by_type(failure.type)
    if cls is None:
        return None
    details: Mapping[str, Any] = failure.details[0] if failure.details else {}
    return cls(failure.message, field=details.get("field"), data=details.get("data"))
