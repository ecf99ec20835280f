"""Counts and changes of stock, many at once, and imports of them; every item gets its own answer."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from api.http.items import Items
from api.http.models import ItemProblem, Page
from dom.orders.status import Condition, ReasonCode
from dom.shared.base import GivenTime, Key, NodeId, SkuId, Text, Utc, Value
from store.enums import ImportKind, ImportStatus

Source = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$", examples=["wms-daventry"])]
"""Who counts: a warehouse system, a stocktake. Each numbers its own counts."""


def _not_zero(quantity: int) -> int:
    if quantity == 0:
        raise ValueError("a change of 0 changes nothing")
    return quantity


class AdjustmentItem(Value):
    """A change of the units of a condition. A reason that starts with "receipt", or the code, is goods coming in.

    With `to` so many units (a positive quantity) move from `condition` to that one: some broke, or were repaired.
    """

    node_id: NodeId
    sku: SkuId
    quantity: Annotated[int, AfterValidator(_not_zero), Field(ge=-1_000_000, le=1_000_000)]
    reason: Text
    idempotency_key: Key
    occurred_at: GivenTime | None = None
    reason_code: ReasonCode | None = None
    condition: Condition = Condition.SELLABLE
    to: Condition | None = None

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.to is not None and (self.to is self.condition or self.quantity < 0):
            raise ValueError("with `to`, a positive quantity moves to another condition")
        return self


class Adjustments(Value):
    """Changes of stock; each stands for itself."""

    adjustments: Items[AdjustmentItem]


class AdjustmentResult(BaseModel):
    """What became of one change, and the balance after it."""

    index: int
    status: Literal["applied", "repeated", "superseded", "refused"] = Field(
        description="`superseded`: the node's last count was taken after it, and has seen it."
    )
    on_hand: int | None = Field(default=None, description="Sellable units in the node.")
    reserved: int | None = None
    available: int | None = Field(
        default=None, description="On hand less reserved, firmly and softly, less safety stock."
    )
    damaged: int | None = None
    quarantine: int | None = None
    problem: ItemProblem | None = None


class AdjustmentResults(BaseModel):
    """What became of the changes, in the sequence they were sent."""

    results: list[AdjustmentResult]


class CountItem(Value):
    """Sellable units a node held at `as_of`. Of one source, a later count has a higher `sequence`."""

    node_id: NodeId
    sku: SkuId
    quantity: Annotated[int, Field(ge=0, le=1_000_000_000)]
    as_of: GivenTime
    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    reason_code: ReasonCode | None = None


class Counts(Value):
    """Counts of one source; each stands for itself."""

    source: Source
    counts: Items[CountItem]


class CountResult(BaseModel):
    """What became of one count, and the balance after it."""

    index: int
    status: Literal["applied", "short", "repeated", "late", "refused"] = Field(
        description="`short`: fewer than are reserved for orders; taken as far as it could be, and put into the "
        "exception queue. `late`: a later count stands; nothing was changed."
    )
    on_hand: int | None = Field(default=None, description="The count, and what moved since it was taken.")
    reserved: int | None = None
    available: int | None = Field(
        default=None, description="On hand less reserved, firmly and softly, less safety stock."
    )
    shortfall: int | None = Field(default=None, description="Units reserved for orders that are not there.")
    problem: ItemProblem | None = None


class CountResults(BaseModel):
    """What became of the counts, in the sequence they were sent."""

    results: list[CountResult]


class ImportDetail(BaseModel):
    """A file of counts or changes, and how far it is."""

    id: str
    kind: ImportKind
    status: ImportStatus = Field(
        description="`receiving`, `queued`, `applying`, then `done`; `refused`: all-or-nothing, and rows are wrong; "
        "`failed`: the upload ended before the file did, or the database refuses a row; `cancelled`: what was applied "
        "stays."
    )
    all_or_nothing: bool
    source: str
    actor: str
    as_of: Utc
    sequence: int | None = Field(description="Null where the counts go by their time.")
    rows: int = Field(description="Rows received.")
    done: int = Field(description="Rows that have an outcome.")
    outcomes: dict[str, int] = Field(
        description="Rows by outcome: `applied`, `short`, `repeated`, `late`, `superseded`, `replaced`, `refused`, "
        "`cancelled`."
    )
    detail: str
    rows_per_second: int | None = None
    created_at: Utc
    finished_at: Utc | None = None
    links: dict[str, str]


class ImportList(Page):
    """Imports, the newest first."""

    items: list[ImportDetail]
