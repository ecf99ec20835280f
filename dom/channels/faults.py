"""What is wrong with a message of a channel, and at which field."""

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from dom.shared.base import Value
from dom.shared.texts import keepable

_MOST_SHOWN: Final = 200


class FaultCode(StrEnum):
    """Stable names of what can be wrong; decide by them, never by the text."""

    UNREADABLE = "unreadable"
    """The message is not what its channel sends: no JSON, no row of its file."""
    NO_MAPPING = "no-mapping"
    """The channel has no published mapping."""
    MISSING = "missing"
    """A field that an order cannot do without."""
    WRONG_VALUE = "wrong-value"
    NOT_IN_TABLE = "not-in-table"
    """A value that the mapping's table does not name."""
    EXPRESSION_FAILED = "expression-failed"
    UNKNOWN_SKU = "unknown-sku"
    REFUSED = "refused"
    """What the message asks for cannot be done to the order any more."""
    DOUBTFUL = "doubtful"
    """It can be read, and may be wrong."""


class FaultSeverity(StrEnum):
    """Whether a message is held for it."""

    ERROR = "error"
    """It is held until a person looked at it."""
    WARNING = "warning"
    """It is taken as it is, and the finding is kept."""


class FaultProposal(Value):
    """What could stand there instead, for a person to accept or to reject."""

    value: Any = Field(description="What would stand there; null: nothing.")
    rule: str = Field(description="What proposes it.")
    confidence: int = Field(description="How often such a change is right, per mille.")
    why: str = Field(default="", description="Why, in words.")


class MessageFault(Value):
    """One thing that is wrong. `field` is a field of the order as mappings fill it, empty for the message itself;
    `value` is what stood there.
    """

    field: str = ""
    code: FaultCode = Field(description="Stable; decide by it, never by the text.")
    message: str
    value: str = Field(default="", description="What stood there.")
    severity: FaultSeverity = Field(default=FaultSeverity.ERROR, description="Whether the message is held for it.")
    proposals: tuple[FaultProposal, ...] = Field(default=(), description="What could stand there instead.")


def shown(value: Any) -> str:
    """What stood there, as it can be kept and shown."""
    text = keepable(str(value))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
