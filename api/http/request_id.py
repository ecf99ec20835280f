"""The id of the request that is being answered: in its answer, in problems, in the log and in the audit log."""

from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Request-Id"
current: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Empty outside of a request."""
