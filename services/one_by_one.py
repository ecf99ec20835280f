"""Work on one after another: one that fails does not stop the others, and is tried at the next look."""

from collections.abc import Awaitable

import structlog

from store.database.engine import is_unavailable

_log = structlog.get_logger("jobs")


async def apart(about: str, work: Awaitable[bool]) -> bool:
    """What the work answers; False where it fails, which the log says. Raises what a database that is away
    raises: that concerns everything.
    """
    try:
        return await work
    except Exception as error:  # whatever it is, it must not take the others along
        if is_unavailable(error):
            raise
        _log.warning("work failed", about=about, exc_info=error)
        return False
