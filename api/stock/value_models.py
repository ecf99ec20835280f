"""What stock is worth where it lies."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.http.items import MAX_ITEMS
from api.http.models import ItemProblem
from dom.shared.base import NodeId, SkuId, Utc, Value


class NodeValue(BaseModel):
    """What a unit of a SKU at a node is worth, in minor units of the answer's currency."""

    node_id: str
    opportunity: int = Field(description="Its shadow price as it counts now: faded by age and by what stock moved.")
    priced_opportunity: int = Field(description="Its shadow price as it was worked out, in `priced_currency`.")
    priced_currency: str
    priced_at: Utc | None = Field(description="When it was worked out; null if it never was.")
    fades_at: Utc | None = Field(description="When nothing is left of it.")
    daily_demand: float = Field(description="Units a day the node is expected to be asked for.")
    mark_down: int = Field(description="What a unit loses by staying there.")
    marked_by: str
    marked_at: Utc | None


class StockValues(BaseModel):
    """A SKU's values by node; nodes of which nothing is known are left out."""

    sku: str
    currency: str = Field(description="The published policy's.")
    nodes: list[NodeValue]


class MarkDownItem(Value):
    """What a unit of a SKU at a node loses by staying there; 0 takes a mark-down back."""

    node_id: NodeId
    sku: SkuId
    per_unit: Annotated[
        int, Field(ge=0, le=10**9, description="In minor units of the published policy's currency.", examples=[150])
    ]


class MarkDowns(Value):
    """Mark-downs to set; each stands for itself."""

    mark_downs: tuple[MarkDownItem, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class MarkDownResult(BaseModel):
    """What became of one mark-down."""

    index: int
    status: Literal["applied", "repeated", "replaced", "refused"]
    problem: ItemProblem | None = None


class MarkDownResults(BaseModel):
    """What became of the mark-downs, in the sequence they were sent."""

    results: list[MarkDownResult]
