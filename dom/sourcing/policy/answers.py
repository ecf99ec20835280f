"""What the policy says of answers that are waited for: how long nodes and customers have, and what silence means."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dom.orders.questions import CustomerChoice
from dom.shared.base import Value
from dom.sourcing.policy.kinds import ByKind


class Acceptance(Value):
    """How long nodes have to accept or reject work, by node kind; a kind that is not named has all the time it likes.

    Minutes count while the node is open. What it did not answer in time it has rejected, and failed.
    """

    within_minutes: ByKind = Field(default={}, description="while the node is open, after the work was released to it")
    at_most: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="so often work of one order is taken from nodes for that; then a person looks at it"
    )


class Silence(StrEnum):
    """What it means that a node does not answer."""

    REFUSED = "refused"
    GRANTED = "granted"


class Cancellations(Value):
    """How long nodes have to answer whether what they picked can be cancelled, and what silence means."""

    within_minutes: ByKind = Field(default={}, description="by node kind, while the node is open")
    otherwise_minutes: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=120, description="the same, of kinds that `within_minutes` does not name"
    )
    silence: Silence = Field(
        default=Silence.REFUSED, description="`granted`: units that nobody answers for are cancelled all the same"
    )


class Slips(Value):
    """When a customer is asked because what was promised comes later, what he may choose, and what silence means."""

    ask_from_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=1, description="days after the last one told; units that wait without a day are late at once"
    )
    answer_within_hours: Annotated[int, Field(ge=1, le=2000)] = Field(
        default=72, description="so long the customer has, from the mail on"
    )
    silence: Literal[CustomerChoice.WAIT, CustomerChoice.PARTIAL, CustomerChoice.CANCEL] = Field(
        default=CustomerChoice.WAIT, description="`partial` where it is possible, otherwise the customer waits"
    )
    choices: Annotated[tuple[CustomerChoice, ...], Field(min_length=1, max_length=4)] = Field(
        default=tuple(CustomerChoice), description="of these what is possible is offered; waiting always is"
    )
