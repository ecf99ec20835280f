"""Safety stocks as planners set them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from api.http.items import MAX_ITEMS
from api.http.models import ItemProblem
from dom.shared.base import Key, NodeId, SkuId, Text, Value

_Units = Annotated[int, Field(ge=0, le=1_000_000)]


class SafetyStockItem(Value):
    """The safety stocks a balance is to have; one that is not given stays as it is."""

    node_id: NodeId
    sku: SkuId
    safety_stock: _Units | None = Field(default=None, description="Units OFL never takes.")
    promise_safety: _Units | None = Field(default=None, description="Units never promised to a channel.")
    reason: Text
    idempotency_key: Key

    @model_validator(mode="after")
    def _sets_something(self) -> "SafetyStockItem":
        if self.safety_stock is None and self.promise_safety is None:
            raise ValueError("give safety_stock, promise_safety or both")
        return self


class SafetyStocks(Value):
    """Safety stocks to set; each stands for itself."""

    safety_stocks: tuple[SafetyStockItem, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class SafetyStockResult(BaseModel):
    """What became of one setting, and the balance as it stands."""

    index: int
    status: Literal["applied", "repeated", "refused"]
    on_hand: int | None = None
    safety_stock: int | None = None
    promise_safety: int | None = None
    problem: ItemProblem | None = None


class SafetyStockResults(BaseModel):
    """What became of the settings, in the sequence they were sent."""

    results: list[SafetyStockResult]
