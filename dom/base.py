"""What every model of the core shares: frozen values, no unknown fields, times in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Value(BaseModel):
    """A frozen value object; an unknown field is an error, so that a typing mistake in a feed is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time lies outside the years 1 to 9999") from error


Utc = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A point in time; any offset is taken, UTC is kept. A time without an offset is refused."""

Text = Annotated[str, Field(min_length=1, max_length=200)]
"""Short human text."""

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
