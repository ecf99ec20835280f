"""Changes of an order as callers ask for them, and what they come to."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.http.models import Window
from dom.network import ShippingMethod
from dom.orders.calls import Request
from dom.orders.editing.changes import (
    AddLine,
    EditKind,
    RemoveLine,
    SetPickupNode,
    SetQuantity,
    SetRequestedBy,
    SetShipComplete,
    SetShippingMethod,
    SetShipTo,
    SetTags,
    SwapSku,
    TakeSubstitute,
)
from dom.orders.editing.rules import ChangeLevel
from dom.orders.intake import ShipToRequest
from dom.orders.order import Order
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared.access import Role
from dom.shared.base import Utc


class NewShipTo(SetShipTo):
    """Another address, as its country writes them, for all that has not left its node."""

    ship_to: ShipToRequest


AskedChange = Annotated[
    SetQuantity
    | AddLine
    | RemoveLine
    | SwapSku
    | TakeSubstitute
    | NewShipTo
    | SetShippingMethod
    | SetRequestedBy
    | SetPickupNode
    | SetTags
    | SetShipComplete,
    Field(discriminator="change"),
]


class ChangesRequest(Request):
    """Changes of the order at a revision. All are made, or none."""

    revision: int = Field(ge=0, le=1_000_000, description="the order's revision that the caller saw")
    changes: Annotated[tuple[AskedChange, ...], Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(max_length=500)] = ""


class PlannedWork(BaseModel):
    """A fulfilment after the changes."""

    id: str
    node_id: str
    status: FulfilmentStatus
    method: ShippingMethod
    ship_by: Utc
    promise: Window
    lines: dict[str, int] = Field(description="Units by line.")


class MoneyDifference(BaseModel):
    """What the goods that are to be sent are worth, in minor units."""

    before: int
    after: int
    difference: int = Field(description="What the customer is to pay more or, below zero, gets back.")
    currency: str


class EditedOrder(BaseModel):
    """What the changes come to."""

    order_id: str
    preview: bool = Field(description="True: nothing was changed; asked again without, it comes to this now.")
    revision: int = Field(description="The order's revision after them.")
    status: OrderStatus
    fulfilments: list[PlannedWork]
    waiting: dict[str, int] = Field(description="Units by line that no node has.")
    promise_before: Window | None
    promise: Window | None
    goods: MoneyDifference


class PossibleChange(BaseModel):
    """Whether the caller may make a change of the order now."""

    change: EditKind
    line_id: str | None = Field(description="Of a change of a line: which.")
    possible: bool
    why: str | None = Field(description="Why it is not possible.")
    instead: str | None = Field(description="What else could be done.")


class OrderRevision(BaseModel):
    """The order as an edit left it; number 0 as it was captured."""

    number: int
    order: Order
    actor: str | None
    reason: str | None
    occurred_at: Utc | None
    changes: list[dict[str, object]] | None


class OrderChanges(BaseModel):
    """The order's revision, what may be changed of it, and what was."""

    order_id: str
    revision: int
    possible: list[PossibleChange]
    revisions: list[OrderRevision] = Field(description="Empty if it was never edited.")


class Rule(BaseModel):
    """A change, what it concerns, and until which status of that work each role may make it."""

    change: EditKind
    level: ChangeLevel = Field(description="What work the change concerns.")
    until: dict[Role, FulfilmentStatus] = Field(description="By role, the last status of that work in which it may.")
    instead: str = Field(description="What else could be done when it is too late.")


class ChangeRules(BaseModel):
    """Every change with its rule."""

    items: list[Rule]
