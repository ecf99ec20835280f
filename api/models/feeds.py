"""What carriers and warehouses send many of at once; every item gets its own answer."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from api.models.common import ItemProblem
from dom.base import NodeId, SkuId, Text, Utc, Value
from dom.status import CarrierEventKind

MAX_ITEMS = 1000


class CarrierEvent(Value):
    """A scan of a shipment; `event_id` is the carrier's own and makes it count once."""

    event_id: Annotated[str, Field(min_length=1, max_length=200)]
    tracking_number: Annotated[str, Field(min_length=1, max_length=64)]
    kind: CarrierEventKind
    occurred_at: Utc
    place: str = Field(default="", max_length=200)


class CarrierEvents(Value):
    """Scans of one carrier."""

    events: tuple[CarrierEvent, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class CarrierEventResult(BaseModel):
    """What became of one scan."""

    index: int
    event_id: str
    status: Literal["recorded", "repeated", "refused"]
    problem: ItemProblem | None = None


class CarrierEventResults(BaseModel):
    """What became of the scans, in the sequence they were sent."""

    results: list[CarrierEventResult]


def _not_zero(quantity: int) -> int:
    if quantity == 0:
        raise ValueError("a change of 0 changes nothing")
    return quantity


class AdjustmentItem(Value):
    """A change of on hand. A reason that starts with "receipt" is goods coming in; others are counts and damage."""

    node_id: NodeId
    sku: SkuId
    quantity: Annotated[int, AfterValidator(_not_zero), Field(ge=-1_000_000, le=1_000_000)]
    reason: Text
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200)]
    occurred_at: Utc | None = None


class Adjustments(Value):
    """Changes of stock; each stands for itself."""

    adjustments: tuple[AdjustmentItem, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    actor: Text = "warehouse"


class AdjustmentResult(BaseModel):
    """What became of one change, and the balance after it."""

    index: int
    status: Literal["applied", "repeated", "refused"]
    on_hand: int | None = None
    reserved: int | None = None
    available: int | None = Field(default=None, description="On hand less reserved less safety stock.")
    problem: ItemProblem | None = None


class AdjustmentResults(BaseModel):
    """What became of the changes, in the sequence they were sent."""

    results: list[AdjustmentResult]


class NodeAvailability(BaseModel):
    """A SKU at one node."""

    node_id: str
    on_hand: int
    reserved: int
    safety_stock: int
    available: int


class SkuAvailability(BaseModel):
    """A SKU at every active node, and in all."""

    sku: str
    available: int
    nodes: list[NodeAvailability]


class Availability(BaseModel):
    """What can be promised now."""

    items: list[SkuAvailability]
