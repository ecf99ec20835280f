"""The policy's terms in plain words: what a cost is for, why a place was left out, what was given up."""

from collections.abc import Callable, Mapping
from typing import Final

from dom.sourcing.models import CostTerm, FenceResult
from dom.sourcing.policy.document import Fence

TERMS: Final[Mapping[CostTerm, str]] = {
    CostTerm.FREIGHT: "freight",
    CostTerm.HANDLING: "handling",
    CostTerm.SPLIT: "splitting the order",
    CostTerm.LATENESS: "being late",
    CostTerm.DISTANCE: "distance",
    CostTerm.PRIORITY: "the rank of the place",
    CostTerm.PACKAGING: "packaging",
    CostTerm.CAPACITY: "how busy the place is",
    CostTerm.OPPORTUNITY: "what the goods could earn elsewhere",
    CostTerm.MARKDOWN: "clearing old stock",
    CostTerm.SUPPLY: "stock running low",
    CostTerm.CARBON: "carbon",
}
"""What an amount is for: `4.89 GBP for freight`."""

FAILED: Final[Mapping[Fence, Callable[[FenceResult], str]]] = {
    Fence.ACTIVE: lambda _: "is switched off",
    Fence.NOT_EXCLUDED: lambda _: "has failed this order before, or was left out by staff",
    Fence.SHIPS_TO_COUNTRY: lambda result: f"does not send to {result.expected.removeprefix('ships to ')}",
    Fence.PICKUP: lambda _: "cannot hand goods out",
    Fence.WITHIN_DISTANCE: lambda result: f"is {result.actual} away, and {result.expected} is allowed",
    Fence.CURRENCY: lambda result: f"has its costs in {result.actual}, which cannot be compared",
    Fence.SERVICE: lambda result: f"cannot send {result.expected} ({result.actual})",
    Fence.STOCK: lambda _: "holds nothing of it",
    Fence.CAPACITY: lambda result: f"has {result.actual}",
    Fence.NETWORK: lambda _: "is not among the places that send such orders",
    Fence.PLACE: lambda result: f"is in {result.actual}, and only {result.expected} is allowed",
    Fence.CARRIER: lambda _: "has no carrier that may be used",
    Fence.HANDLING: lambda _: "is not equipped for the goods",
    Fence.CARRIER_LIMITS: lambda result: f"could not send it ({result.actual})",
    Fence.KEPT_BACK: lambda _: "keeps what it has for itself",
    Fence.PICKING_VALUE: lambda _: "does not pick goods worth so little",
    Fence.COMPLETE_ONLY: lambda _: "takes part only where it can send everything",
    Fence.CAPACITY_KEPT: lambda _: "keeps its last capacity for other orders",
    Fence.LEAVES_IN_TIME: lambda _: "could not send it soon enough",
    Fence.ARRIVES_IN_TIME: lambda _: "could not deliver it in time",
}
"""What is said of a place that was left out: `Leeds is switched off`."""

GIVEN_UP: Final[Mapping[Fence, str]] = {
    Fence.NETWORK: "the choice of sending places",
    Fence.PLACE: "the choice of sending countries and regions",
    Fence.WITHIN_DISTANCE: "the limit on distance",
    Fence.CARRIER: "the choice of carriers",
    Fence.KEPT_BACK: "the stock that places keep back",
    Fence.PICKING_VALUE: "the least value that is worth picking",
    Fence.COMPLETE_ONLY: "the wish that some places send only whole orders",
    Fence.CAPACITY_KEPT: "the capacity kept for other orders",
    Fence.LEAVES_IN_TIME: "the limit on when it leaves",
    Fence.ARRIVES_IN_TIME: "the limit on when it arrives",
}
"""What was given up to fill more of an order: `the limit on distance`."""
