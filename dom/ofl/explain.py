"""Why a plan looks as it does, in sentences for the people who answer the customer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from dom.money import Money
from dom.network import ShippingMethod
from dom.ofl.drafting import Draft
from dom.ofl.fences import Site
from dom.ofl.models import CostTerm, FenceResult, PlannedShipment, SourcingDecision
from dom.policy.document import Fence

SENTENCES_AT_MOST: Final = 6
_NAMED_AT_MOST: Final = 3

_TERMS: Final = {
    CostTerm.FREIGHT: "freight",
    CostTerm.HANDLING: "handling",
    CostTerm.SPLIT: "splitting",
    CostTerm.LATENESS: "being late",
    CostTerm.DISTANCE: "distance",
    CostTerm.PRIORITY: "the node's priority",
    CostTerm.PACKAGING: "packaging",
    CostTerm.CAPACITY: "capacity in use",
    CostTerm.OPPORTUNITY: "what the stock could earn elsewhere",
    CostTerm.MARKDOWN: "mark-down saved",
    CostTerm.SUPPLY: "stock running low",
    CostTerm.CARBON: "carbon",
}

_FAILED: Final[Mapping[Fence, Callable[[FenceResult], str]]] = {
    Fence.ACTIVE: lambda _: "is switched off",
    Fence.NOT_EXCLUDED: lambda _: "has failed this order before",
    Fence.SHIPS_TO_COUNTRY: lambda result: f"ships to {result.actual} only",
    Fence.PICKUP: lambda result: f"cannot hand it out ({result.expected}, {result.actual})",
    Fence.WITHIN_DISTANCE: lambda result: f"is {result.actual} away, and the policy allows {result.expected}",
    Fence.CURRENCY: lambda result: f"has costs in {result.actual}, for which the policy has no exchange rate",
    Fence.SERVICE: lambda result: f"cannot ship {result.expected} ({result.actual})",
    Fence.STOCK: lambda _: "holds nothing of it",
    Fence.CAPACITY: lambda result: f"has {result.actual}",
    Fence.NETWORK: lambda result: f"is not among the nodes the policy asks ({result.expected})",
    Fence.PLACE: lambda result: f"is in {result.actual}, and the policy asks for {result.expected}",
    Fence.CARRIER: lambda result: f"has no carrier the policy allows ({result.actual})",
    Fence.HANDLING: lambda result: f"cannot handle the goods ({result.expected})",
    Fence.KEPT_BACK: lambda result: f"keeps what it has ({result.expected})",
    Fence.PICKING_VALUE: lambda result: f"picks nothing worth so little ({result.actual}; {result.expected})",
    Fence.COMPLETE_ONLY: lambda result: f"takes part only with all of it ({result.actual})",
    Fence.CAPACITY_KEPT: lambda result: f"keeps its last capacity for others ({result.expected})",
    Fence.LEAVES_IN_TIME: lambda result: f"cannot send it in time ({result.actual}; {result.expected})",
    Fence.ARRIVES_IN_TIME: lambda result: f"cannot deliver in time ({result.actual}; {result.expected})",
}


def reasons(decision: SourcingDecision, made: Draft) -> tuple[str, ...]:
    """Two to six sentences: who ships and at what cost, when, why not otherwise, what is missing, who was left out."""
    story = _Story(decision, made)
    return tuple(islice(story.sentences(), SENTENCES_AT_MOST))


class _Story:
    def __init__(self, decision: SourcingDecision, made: Draft) -> None:
        self.decision = decision
        self.made = made
        self.demand = made.demand
        self.split = made.rules.split
        self.sites = {site.node.id: site for site in made.sites}
        self.used = [shipment.node_id for shipment in decision.shipments]

    def sentences(self) -> Iterator[str]:
        if not self.used:
            yield from self._nothing()
            yield from self._not_released()
            return
        yield self._who_and_cost()
        yield from self._why_split()
        yield from self._what_is_missing()
        yield from self._not_released()
        yield from self._nearer_node()
        yield self._when()
        yield from self._left_out()
        yield from self._against_the_next()
        if not self.decision.exact:
            yield "There were too many ways to look at all of them, so a cheaper plan may exist."
        if self.demand.place is None and self._is_shipped:
            yield "The customer's place is not known, so distance played no part."

    @property
    def _is_shipped(self) -> bool:
        return self.demand.shipping_method is not ShippingMethod.PICKUP

    def _nothing(self) -> Iterator[str]:
        if self.made.shipments:
            yield self._held_back()
            return
        units = sum([line.quantity for line in self.decision.unfilled])
        yield f"No node can give any of the {_count(units, 'unit')} now, so the order waits as a backorder."
        left_out = list(self._left_out())
        yield from left_out
        if not left_out and self.decision.next_release is None:
            yield f"None of the {_count(len(self.sites), 'node')} in the network holds any of it."

    def _held_back(self) -> str:
        missing = sum([line.quantity for line in self.made.unfilled])
        asked = sum([line.quantity for line in self.demand.lines])
        whose = "The order is to be shipped complete" if self.demand.ship_complete else "The policy keeps it together"
        return f"{whose}, and {missing} of its {asked} units cannot be sourced with the others now, so all of it waits."

    def _who_and_cost(self) -> str:
        parts = {term: sum([shipment.costs.get(term, 0) for shipment in self.decision.shipments]) for term in CostTerm}
        named = ", ".join([f"{_TERMS[term]} {self._money(amount)}" for term, amount in parts.items() if amount])
        verb = "ships" if self._is_shipped else "hands out"
        goods = "everything" if not self.decision.unfilled else "what there is"
        who = _and([self._name(node) for node in self.used])
        if len(self.used) > 1:
            who, verb = f"{who} together", verb.removesuffix("s") if self._is_shipped else "hand out"
        cost = self._money(self.decision.cost)
        return f"{who} {verb} {goods} at a cost of {cost}" + (f": {named}." if named else ".")

    def _why_split(self) -> Iterator[str]:
        if len(self.used) == 1:
            return
        shares = _and(
            [f"{_count(_units(part), 'unit')} from {self._name(part.node_id)}" for part in self.decision.shipments]
        )
        alone = [c for c in self.decision.candidates if c.alone_cost is not None]
        if not alone:
            yield f"The order is split ({shares}) because no single node that may ship has all of it."
            return
        best = min(alone, key=lambda candidate: candidate.alone_cost or 0)
        yield (
            f"The order is split ({shares}) because that is cheaper than {self._name(best.node_id)} alone, "
            f"which would cost {self._money(best.alone_cost or 0)}."
        )

    def _what_is_missing(self) -> Iterator[str]:
        if not self.decision.unfilled:
            return
        named = _and([f"{line.quantity} of {line.sku}" for line in self.decision.unfilled[:_NAMED_AT_MOST]])
        more = len(self.decision.unfilled) - _NAMED_AT_MOST
        what = f"{named} and {_count(more, 'more line')}" if more > 0 else named
        if self.decision.next_release is not None:
            yield f"Waiting: {what}."
        elif len(self.used) == self.split.maximum_shipments and self._held_elsewhere():
            limit = _count(self.split.maximum_shipments, "shipment")
            yield f"Waiting for stock: {what}. Other nodes have some, but the policy allows {limit} an order."
        else:
            yield f"Waiting for stock: {what}. No other node that may ship has any."

    def _not_released(self) -> Iterator[str]:
        if self.decision.next_release is not None:
            yield f"What is not released yet can be sent from {self.decision.next_release:%a %d %b %H:%M} UTC on."

    def _held_elsewhere(self) -> bool:
        short = {line.sku for line in self.decision.unfilled}
        wanted = sorted({line.sku for line in self.demand.lines})
        return any(
            units and sku in short
            for site in self.sites.values()
            if site.eligible and site.node.id not in self.used
            for sku, units in zip(wanted, site.stock, strict=True)
        )

    def _nearer_node(self) -> Iterator[str]:
        known = [site for site in self.sites.values() if site.eligible and site.distance_km is not None]
        if not known or not self._is_shipped:
            return
        nearest = min(known, key=lambda site: (site.distance_km or 0, site.node.id))
        if nearest.node.id in self.used:
            return
        used_km = min([self.sites[node].distance_km or 0 for node in self.used])
        about = f"{self._name(nearest.node.id)} is nearer ({nearest.distance_km:.0f} km against {used_km:.0f} km)"
        candidate = next(c for c in self.decision.candidates if c.node_id == nearest.node.id)
        if candidate.alone_cost is not None:
            yield f"{about} but would cost {self._money(candidate.alone_cost)} alone."
        else:
            lines = _count(len(self.demand.lines), "line")
            yield f"{about} but has only {candidate.lines_in_full} of {lines} in full."

    def _when(self) -> str:
        leaving = _and([self._leaving(shipment) for shipment in self.decision.shipments])
        promise = self.decision.promise
        if promise is None:
            return leaving
        if not self._is_shipped:
            return f"It can be collected from {promise.earliest:%a %d %b %H:%M} UTC."
        first, last = f"{promise.earliest:%a %d %b}", f"{promise.latest:%a %d %b}"
        arrives = f"on {first}" if first == last else f"between {first} and {last}"
        late = sum([shipment.costs.get(CostTerm.LATENESS, 0) for shipment in self.decision.shipments])
        return f"It leaves {leaving} and arrives {arrives}" + (", later than was asked for." if late else ".")

    def _leaving(self, shipment: PlannedShipment) -> str:
        carrier = f" with {shipment.carrier}" if shipment.carrier else ""
        return f"{self._name(shipment.node_id)} on {shipment.ship_day:%a %d %b}{carrier}"

    def _left_out(self) -> Iterator[str]:
        """Nodes that hold goods of the order but failed a fence: the three that hold most, the nearer first."""
        out = [site for site in self.sites.values() if not site.eligible and any(site.stock)]
        if not self._is_shipped:
            out = [site for site in out if site.node.id == self.demand.pickup_node]
        out.sort(key=lambda site: (-sum(site.stock), site.distance_km or 0, site.node.id))
        if not out:
            return
        named = "; ".join([f"{site.node.name} {_failure(site)}" for site in out[:_NAMED_AT_MOST]])
        others = len(out) - _NAMED_AT_MOST
        more = f"; and {_count(others, 'other node')}" if others > 0 else ""
        yield f"Not considered though in stock: {named}{more}."

    def _against_the_next(self) -> Iterator[str]:
        second = self.decision.runner_up
        if second is None:
            return
        more = second.cost - self.decision.cost
        names = _and([self._name(node) for node in second.node_ids])
        difference = f"{self._money(more)} more" if more else "the same"
        yield f"The next best plan, from {names}, would cost {difference}."

    def _name(self, node_id: str) -> str:
        return self.sites[node_id].node.name

    def _money(self, amount: int) -> str:
        return str(Money(amount=amount, currency=self.decision.currency))


def _failure(site: Site) -> str:
    failed = site.fences[-1]
    return _FAILED[failed.fence](failed)


def _units(shipment: PlannedShipment) -> int:
    return sum([line.quantity for line in shipment.lines])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
