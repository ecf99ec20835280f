"""What becomes of a step that a defect stops: the same attempt fails in the same way, and another would again.

A server that is away is no defect: the step is tried until it is back. Whoever waits for an answer is refused after
some attempts. What nobody is to be refused, such as news of what happened, is put before a person and tried again at
long intervals, so that it goes on once a worker without the defect runs.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import temporal_errors
from services import stuck_steps
from services.database import Database
from store.database.engine import BAD_DATA

DEFECTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    *BAD_DATA,
)
"""Errors of a program or of its data, that another attempt does not mend."""
DEFECT: Final = "defect"
"""The type of the error that crosses Temporal."""
ATTEMPTS: Final = 6
"""How often a step is tried before that is said: some seconds, as the retries of local activities go."""
_FIRST_PAUSE: Final = timedelta(minutes=2)
_LONGEST_PAUSE: Final = timedelta(hours=1)
"""A retry adds some events to the history of the process: at this pace it can go on for most of a year."""
_log = logging.getLogger(__name__)


@asynccontextmanager
async def step(database: Database, order_id: str, about: str, *, answered: bool = False) -> AsyncIterator[None]:
    """Errors of the block as Temporal's. `about`: what the step is of, the order or its return; `answered`: somebody
    waits for the answer and can be refused.
    """
    attempt = activity.info().attempt if activity.in_activity() else 1
    try:
        with temporal_errors():
            yield
    except DEFECTS as error:
        if isinstance(error, OSError) or attempt < ATTEMPTS:  # errors of TLS are both
            raise
        words = f"{activity.info().activity_type} fails again and again: {type(error).__name__}"
        if answered:
            raise ApplicationError(words, type=DEFECT, non_retryable=True) from error
        await _put_before_a_person(database, order_id, about, f"{words}: {error}", attempt)
        pause = min(_FIRST_PAUSE * 2 ** min(attempt - ATTEMPTS, 10), _LONGEST_PAUSE)
        raise ApplicationError(words, type=DEFECT, next_retry_delay=pause) from error
    if attempt >= ATTEMPTS:
        await stuck_steps.goes_on(database, about)


async def _put_before_a_person(database: Database, order_id: str, about: str, detail: str, attempt: int) -> None:
    try:
        await stuck_steps.put_before_a_person(database, order_id, about, detail, anew=attempt == ATTEMPTS)
    except Exception:
        _log.exception("nobody could be told that %s is stuck", about)
