"""What every model of the core shares: frozen values, no unknown fields, strict scalars, times in UTC."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.json_schema import WithJsonSchema
from pydantic_core import CoreSchema

from dom.shared import strict
from dom.shared.texts import as_seen, is_plain_id, visible


class Value(BaseModel):
    """A frozen value object; an unknown field is an error, so that a typing mistake in a feed is not lost.

    Its scalars are strict, in every field and in whatever holds them (`dom.shared.strict`): a number is no time,
    `true` is no number, and "7" and 7.0 are no integers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema pydantic makes of the fields, with every scalar made strict."""
        made = handler(source)
        strict.make_strict(handler.resolve_ref_schema(made), source)
        return made


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time lies outside the years 1 to 9999") from error


Utc = Annotated[AwareDatetime, AfterValidator(_to_utc), BeforeValidator(strict.date_time)]
"""A point in time as RFC 3339 writes it; any offset is taken, UTC is kept. One without an offset is refused."""

Day = Annotated[date, BeforeValidator(strict.full_date)]
"""A day of the calendar, as YYYY-MM-DD; for parameters that no `Value` holds."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200


def _of_our_time(when: date) -> date:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise ValueError(f"give a year from {FIRST_YEAR} to {LAST_YEAR}")
    return when


GivenTime = Annotated[Utc, AfterValidator(_of_our_time)]
"""A point in time as a caller gives it: what is reckoned from it stays within what calendars and PostgreSQL can say."""

GivenDay = Annotated[Day, AfterValidator(_of_our_time)]
"""A day as a caller gives it, as `GivenTime`."""

TimeOfDay = Annotated[
    time,
    BeforeValidator(strict.time_of_day),
    WithJsonSchema({"type": "string", "pattern": strict.TIME_OF_DAY.pattern, "examples": ["17:00", "17:00:00"]}),
]
"""A time on the clock of a place, HH:MM or HH:MM:SS; RFC 3339 has no such form, it wants an offset with it."""

Text = Annotated[str, Field(min_length=1, max_length=200)]
"""Short human text."""


def _as_seen(text: object) -> object:
    return visible(text) if isinstance(text, str) else text


GivenText = Annotated[Text, BeforeValidator(_as_seen)]
"""`Text` of a parameter, as people see it. Of bodies `AS_SEEN` does the same."""

AS_SEEN = BeforeValidator(as_seen)
"""For the body of a request, not for documents that are stored: a blank name that was let in once can still be read."""


def _plain(key: str) -> str:
    if not is_plain_id(key):
        raise ValueError("give it without blanks around it and without characters that nobody sees")
    return key


Key = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
"""A caller's own id of what he sends, by which it counts once. It is never corrected: another one is another thing."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["GBP"])]
"""ISO 4217 code."""

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["GB"])]
"""ISO 3166-1 alpha-2 code."""

Minor = Annotated[int, Field(ge=0, le=10**12)]
"""An amount in minor units of its currency, as ISO 4217 has them: pence, cents, whole yen, fils of a dinar."""

Quantity = Annotated[int, Field(gt=0, le=1_000_000)]
"""Units of one SKU."""

SkuId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+( [!-~]+)*$", examples=["85123A"])]
"""A stock keeping unit's code."""

NodeId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["dc-daventry"])]
"""A node's code."""

LineId = Annotated[str, Field(min_length=1, max_length=32, examples=["1"])]
"""An order line's number, unique in its order."""

ChannelId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$", examples=["web"])]
"""A channel's code."""
