"""When something happened, as a caller says it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from dom.shared.errors import InvalidInput

AHEAD: Final = timedelta(minutes=5)
"""How far a caller's clock may be ahead of ours."""


def not_in_the_future(at: datetime | None, field: str = "occurred_at") -> datetime:
    """The time, or now if none was given. Raises InvalidInput, with the field, for one that is still to come."""
    now = datetime.now(UTC)
    if at is not None and at > now + AHEAD:
        raise InvalidInput(f"{at.isoformat()} is still to come", field=field)
    return at or now
