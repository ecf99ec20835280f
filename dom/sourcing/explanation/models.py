"""What is answered when somebody asks why: the full picture, worked out again from what was kept."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from dom.shared.base import Value
from dom.sourcing.models import CostTerm, FenceResult


class NodeVerdict(StrEnum):
    """What became of a node."""

    CHOSEN = "chosen"
    """It is part of the plan."""
    NOT_CHOSEN = "not_chosen"
    """It may take part, and does not."""
    LEFT_OUT = "left_out"
    """It failed a fence."""


class ExplainedNode(Value):
    """A node with everything that was asked of it and found, in the strategy that was used."""

    node_id: str
    name: str
    verdict: NodeVerdict
    distance_km: float | None
    fences: tuple[FenceResult, ...]
    """Every fence, also those after the first it failed."""
    stock: dict[str, int]
    """Units it holds of each SKU of the order; none are left out."""
    lines_in_full: int
    alone_cost: int | None
    """What it would cost to have all it can give from here alone, in minor units; None if it may not take part."""
    alone_costs: dict[CostTerm, int] = Field(default={})
    fills_alone: bool = False
    """Whether that is all of the order."""


class ChangeKind(StrEnum):
    """What would have to be otherwise."""

    SETTING = "setting"
    """A cost setting of the strategy that was used."""
    FREIGHT = "freight"
    """What a carrier asks for one node's shipment."""
    STOCK = "stock"
    """What a node holds."""


class Change(Value):
    """One thing that would have to be otherwise for another plan to be the best, everything else as it was.

    Amounts are minor units of the decision's currency. A setting is needed at `needed` or beyond it, seen from `now`; a
    freight has to be below (or above) `needed`. `stock` are units that would have to be there in addition.
    """

    kind: ChangeKind
    node_id: str | None = None
    setting: str = ""
    now: float | None = None
    needed: float | None = None
    stock: dict[str, int] = Field(default={})
    wins: tuple[str, ...]
    """The nodes of the plan that would be the best."""
    saves: int | None = None
    """What it would cost less than the plan that was chosen, if it fills as much; for stock."""
    fills: int = 0
    """Units that it would fill more."""
    confirmed: bool
    """Whether the order was planned again with the change; otherwise it follows from the costs that were kept."""
    sentence: str


class Difference(Value):
    """A field of the decision that comes out otherwise when it is made again."""

    field: str
    then: Any
    now: Any


class Explanation(Value):
    """A decision made again on what the planner saw, and looked at from all sides.

    Where it does not come out the same, `because` says why and `differences` what; nodes and changes are then those of
    the plan made now. Without a snapshot there is nothing to make it again on.
    """

    reproduced: bool
    because: str = ""
    differences: tuple[Difference, ...] = ()
    nodes: tuple[ExplainedNode, ...] = ()
    changes: tuple[Change, ...] = ()
