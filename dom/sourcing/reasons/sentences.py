"""The sentences kept with every decision, for the people who answer the customer.

They are written from the draft alone and name nothing that the decision does not hold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from dom.delivery.zones import zone_of
from dom.network import ShippingMethod
from dom.sourcing.models import Candidate, CostTerm, Demand, DemandLine, PlannedShipment, SourcingDecision
from dom.sourcing.planning.candidate_plan import CandidatePlan
from dom.sourcing.policy.document import Fence
from dom.sourcing.reasons import words
from dom.sourcing.reasons.kept import by_term
from dom.sourcing.reasons.never import all_of
from dom.sourcing.reasons.never import sentences as never
from dom.sourcing.reasons.outlook import what_follows
from dom.sourcing.reasons.phrases import FAILED, GIVEN_UP, TERMS
from dom.sourcing.reasons.strategy_used import why_these_rules

SENTENCES_AT_MOST: Final = 8
_NAMED_AT_MOST: Final = 3
_TERMS_COMPARED: Final = 2
_GOES_WITHOUT_SAYING: Final = frozenset({Fence.SHIPS_TO_COUNTRY, Fence.NETWORK})


def reasons(decision: SourcingDecision, made: CandidatePlan) -> tuple[str, ...]:
    """Two to eight sentences, the most important first."""
    return tuple(islice(_Sentences(decision, made).sentences(), SENTENCES_AT_MOST))


def unmatched(demand: Demand) -> tuple[str, ...]:
    """What is said of an order that no strategy is for."""
    units = words.count(_units(demand.lines), "unit")
    return (
        f"None of the rules for sourcing is for this order, so nothing is sent of its {units} for now.",
        "A member of staff is asked to look at it.",
    )


class _Sentences:
    def __init__(self, decision: SourcingDecision, made: CandidatePlan) -> None:
        self.decision = decision
        self.made = made
        self.demand = made.demand
        self.zone = zone_of(made.demand.country)
        self.names = {site.node.id: site.node.name for site in made.sites}
        self.used = [shipment.node_id for shipment in decision.shipments]
        self.asked = _units(made.demand.lines)
        self.waiting = _units(decision.unfilled)

    def sentences(self) -> Iterator[str]:
        if not self.used:
            if not all_of(self.decision.unfilled, self.decision.ruled_out):
                yield self._nothing_goes()
            yield from never(self.decision.ruled_out, self.demand, self._name)
            yield from what_follows(self.decision, self.zone)
            if not self.made.shipments:
                yield from self._left_out(None)
            yield from self._relaxed()
            yield from why_these_rules(self.decision, self.made)
            return
        nearer = self._nearer()
        yield self._who_and_cost()
        yield from self._why_split()
        yield from self._sent_to_the_store()
        yield self._when()
        yield from self._what_waits()
        if nearer is not None:
            yield self._why_farther(nearer)
        yield from self._why_another_service()
        yield from self._why_dearer()
        yield from self._relaxed()
        yield from self._left_out(nearer)
        yield from why_these_rules(self.decision, self.made)
        yield from self._second_best()
        if not self.decision.exact:
            yield "There were too many ways to compare all of them, so a cheaper one may exist."
        if self.demand.place is None and self._is_sent:
            yield "It is not known where the customer's postal code lies, so distance played no part."

    @property
    def _is_sent(self) -> bool:
        return self.demand.shipping_method is not ShippingMethod.PICKUP

    @property
    def _all(self) -> str:
        """What the order asks for: `the one unit`, `both units`, `all 3 units`."""
        return {1: "the one unit", 2: "both units"}.get(self.asked, f"all {self.asked} units")

    def _nothing_goes(self) -> str:
        units = words.count(self.asked, "unit")
        if self.made.shipments:
            whose = "The order is to be sent complete" if self.demand.ship_complete else "The order is kept together"
            missing = f"{_units(self.made.unfilled)} of its {units}"
            return f"{whose}, and {missing} cannot be sourced with the others now, so nothing is sent yet."
        any_of = "the one unit" if self.asked == 1 else f"any of the {units}"
        if self.decision.candidates:
            return f"No place that holds goods of the order can {self._give} {any_of} now."
        if self.demand.pickup_node is not None:
            none = "does not have the one unit" if self.asked == 1 else f"has none of the {units}"
            return f"{self._name(self.demand.pickup_node)} {none} to be collected there now."
        return f"No place in the network has {any_of} in stock now."

    @property
    def _give(self) -> str:
        return "send" if self._is_sent else "hand out"

    def _who_and_cost(self) -> str:
        cost = f"at a cost of {self._money(self.decision.cost)}"
        parts = by_term(self.decision.shipments)
        named = words.listed([f"{self._money(amount)} for {TERMS[term]}" for term, amount in parts.items()])
        price = f"{cost}, all of it for {TERMS[next(iter(parts))]}." if len(parts) == 1 else f"{cost}: {named}."
        if not parts:
            price = "at no cost."
        if not parts:
            price = "at no cost."
        if len(self.used) > 1:
            return f"The order is split: {words.listed(self._shares())}, {price}"
        goods = f"{self.asked - self.waiting} of the {self.asked} units" if self.waiting else self._all
        if self._brought:
            return f"{self._name(self.used[0])} sends {goods} to {self._store}, where the customer collects, {price}"
        return f"{self._name(self.used[0])} {'sends' if self._is_sent else 'hands out'} {goods}, {price}"

    @property
    def _brought(self) -> list[PlannedShipment]:
        """What goes to the store where the customer collects it."""
        return [shipment for shipment in self.decision.shipments if shipment.pickup_node is not None]

    @property
    def _store(self) -> str:
        return self._name(self.demand.pickup_node or "")

    def _sent_to_the_store(self) -> Iterator[str]:
        """Of an order that is split; of another one the first sentence says it."""
        if self._brought and len(self.used) > 1:
            names = [self._name(shipment.node_id) for shipment in self._brought]
            sends = "sends what comes from it" if len(names) == 1 else "send what comes from them"
            yield f"{words.listed(names)} {sends} to {self._store}, where the customer collects all of it."

    def _shares(self) -> list[str]:
        return [
            f"{words.count(units, 'unit')} {'comes' if units == 1 else 'come'} from {self._name(part.node_id)}"
            for part in self.decision.shipments
            for units in [_units(part.lines)]
        ]

    def _why_split(self) -> Iterator[str]:
        if len(self.used) == 1:
            return
        able = [c for c in self.decision.candidates if c.eligible]
        alone = [c for c in able if c.alone_cost is not None]
        if alone:
            best = min(alone, key=lambda c: (c.alone_cost or 0, c.node_id))
            cost = best.alone_cost or 0
            yield (
                f"It is split because {self._name(best.node_id)}, the cheapest place to send everything from, would "
                f"cost {self._money(cost)}, which is {self._money(cost - self.decision.cost)} more."
            )
            return
        fullest = max(able, key=lambda c: (c.units, c.node_id), default=None)
        most = "" if fullest is None else f": {self._name(fullest.node_id)} has most, {fullest.units} of {self.asked}"
        yield f"It is split because no single place that can send it has everything{most}."

    def _when(self) -> str:
        promise = self.decision.promise
        leaving = self._leaving(self.decision.shipments)
        if promise is None:
            return f"{leaving}."
        if not self._is_sent:
            return self._collected()
        first, last = promise.earliest.astimezone(self.zone).date(), promise.latest.astimezone(self.zone).date()
        arrive = "arrives" if len(self.used) == 1 else "all of it arrives"
        return f"{leaving}, and {arrive} {words.span(first, last)}{self._how_late(promise.latest)}."

    def _how_late(self, arrival: datetime) -> str:
        asked, told, limit = self.demand.requested_by, self.demand.promised_by, self.demand.deliver_by
        if by_term(self.decision.shipments).get(CostTerm.LATENESS):
            if asked is not None and arrival > asked:
                return f", later than {words.moment(asked, self.zone)}, for which it was asked"
            if told is not None:
                return f", later than {words.day(words.local(told, self.zone))}, which was promised"
        if limit is None:
            return ""
        return f", in time for {words.day(words.local(limit, self.zone))}, as was promised before"

    def _collected(self) -> str:
        shipments, promise = self.decision.shipments, self.decision.promise
        where = self.demand.pickup_node or shipments[0].node_id
        zone = next(site.node.zone for site in self.made.sites if site.node.id == where)
        ready = words.moment(max([each.promise.earliest for each in shipments]), zone)
        kept = words.moment(min([each.promise.latest for each in shipments]), zone)
        leaving = f"{self._leaving(self._brought)}. " if self._brought and promise else ""
        what = "It" if len(shipments) == 1 else "All of it"
        return f"{leaving}{what} can be collected from {ready} on and is kept until {kept}."

    def _leaving(self, shipments: Sequence[PlannedShipment]) -> str:
        """`It leaves Leeds and London on Monday 2 March with northline`."""
        together: dict[str, list[str]] = {}
        for shipment in shipments:
            by = f" with {shipment.carrier}" if shipment.carrier else ""
            faster = f" by {shipment.service}" if shipment.service is not self.made.context.service else ""
            together.setdefault(f"on {words.day(shipment.ship_day)}{by}{faster}", []).append(
                self._name(shipment.node_id)
            )
        return f"It leaves {words.listed([f'{words.listed(names)} {how}' for how, names in together.items()])}"

    def _what_waits(self) -> Iterator[str]:
        if not self.waiting:
            return
        what = words.listed(_named(self.decision.unfilled))
        elsewhere = [c for c in self.decision.candidates if c.eligible and c.node_id not in self.used]
        if self.decision.next_release is not None:
            why = "not all of the goods are released yet"
        elif len(self.used) == self.made.rules.split.maximum_shipments and self._would_help(elsewhere):
            why = f"the order may be split into {words.count(len(self.used), 'shipment')} at most"
        elif self._would_help(elsewhere):
            why = "the rules do not allow the places that have some to join in"
        else:
            why = f"no other place that can {self._give} it has any"
        if all_of(self.decision.unfilled, self.decision.ruled_out):
            yield f"The order still lacks {what}."
        else:
            yield f"The order still lacks {what}, because {why}."
        yield from never(self.decision.ruled_out, self.demand, self._name)
        yield from what_follows(self.decision, self.zone)

    def _would_help(self, elsewhere: Sequence[Candidate]) -> bool:
        """Whether one of the nodes holds some of what waits."""
        short = {line.sku for line in self.decision.unfilled}
        places = [place for place, sku in enumerate(self.made.wanted) if sku in short]
        ids = {each.node_id for each in elsewhere}
        return any(site.stock[place] for site in self.made.eligible if site.node.id in ids for place in places)

    def _nearer(self) -> Candidate | None:
        """The nearest place that holds goods, if it is nearer than all that are used."""
        if not self._is_sent:
            return None
        known = [(c.distance_km, c.node_id, c) for c in self.decision.candidates if c.distance_km is not None]
        if not known:
            return None
        nearest_km, _, nearest = min(known)
        used_km = [km for km, node_id, _ in known if node_id in self.used]
        return nearest if used_km and round(nearest_km) < round(min(used_km)) else None

    def _why_farther(self, nearest: Candidate) -> str:
        used_km = min([c.distance_km or 0 for c in self.decision.candidates if c.node_id in self.used])
        about = f"{self._name(nearest.node_id)} is nearer ({nearest.distance_km:.0f} km against {used_km:.0f} km)"
        if not nearest.eligible:
            return f"{about}, but {self._failure(nearest)}."
        if nearest.alone_cost is None:
            if nearest.units < self.asked:
                return f"{about}, but has only {nearest.units} of the {words.count(self.asked, 'unit')}."
            return f"{about}, but the rules do not allow it to send the order."
        more = nearest.alone_cost - self.decision.cost
        if more <= 0:
            return f"{about}, and would cost the same."
        return f"{about}, but would cost {self._money(nearest.alone_cost)}, which is {self._money(more)} more."

    def _why_dearer(self) -> Iterator[str]:
        shipments = {shipment.node_id: shipment for shipment in self.decision.shipments}
        for cheaper in self.decision.passed_over[:1]:
            taken = shipments[cheaper.node_id]
            more = taken.costs.get(CostTerm.FREIGHT, 0) - cheaper.freight
            wanted = self.demand.requested_by or self.demand.deliver_by
            asked = f", and it was asked for by {words.day(words.local(wanted, self.zone))}" if wanted else ""
            yield (
                f"{words.sentence(cheaper.carrier)} would take it from {self._name(cheaper.node_id)} for "
                f"{self._money(more)} less than {taken.carrier}, but might deliver as late as "
                f"{words.day(cheaper.latest.astimezone(self.zone))}{asked}."
            )

    def _why_another_service(self) -> Iterator[str]:
        asked = self.made.context.service
        for shipment in self.decision.shipments:
            if shipment.service in {asked, ShippingMethod.PICKUP}:
                continue
            node = next(site.node for site in self.made.sites if site.node.id == shipment.node_id)
            if asked in node.services:
                instead = f"{words.sentence(shipment.service)} instead of {asked}"
                yield f"{instead} costs no more from there and comes no later."
            else:
                yield f"{node.name} does not send by {asked}, so it goes by {shipment.service}, which is quicker."
            return

    def _relaxed(self) -> Iterator[str]:
        if self.decision.relaxed:
            given = words.listed([GIVEN_UP.get(fence, fence.replace("_", " ")) for fence in self.decision.relaxed])
            were = "was" if len(self.decision.relaxed) == 1 else "were"
            yield f"To source more of the order, {given} {were} set aside."

    def _left_out(self, told: Candidate | None) -> Iterator[str]:
        """Places that hold goods but may not take part: those that hold most, the nearer first.

        Where one place sends everything, only one that could have done so in its stead.
        """
        out = [c for c in self.decision.candidates if not c.eligible and c is not told]
        if len(self.used) == 1 and not self.waiting:
            out = [c for c in out if c.units == self.asked and c.fences[-1].fence not in _GOES_WITHOUT_SAYING]
            out = sorted(out, key=lambda c: (c.distance_km or 0, c.node_id))[:1]
        out.sort(key=lambda c: (-c.units, c.distance_km or 0, c.node_id))
        if not out:
            return
        named = [f"{self._name(c.node_id)} has {c.units} but {self._failure(c)}" for c in out[:_NAMED_AT_MOST]]
        more = len(out) - _NAMED_AT_MOST
        if more > 0:
            others = "another place has some but was" if more == 1 else f"{more} other places have some but were"
            named.append(f"{others} left out as well")
        yield f"{'; '.join(named)}."

    def _second_best(self) -> Iterator[str]:
        second = self.decision.runner_up
        if second is None:
            return
        names = words.listed([self._name(node) for node in second.node_ids])
        more = second.cost - self.decision.cost
        if more <= 0:
            yield f"The next best way, from {names}, would cost the same."
            return
        yield f"The next best way, from {names}, would cost {self._money(more)} more{self._mostly(second.costs, more)}."

    def _mostly(self, costs: dict[CostTerm, int], more: int) -> str:
        """The terms that make the difference, where they make most of it."""
        own = by_term(self.decision.shipments)
        steps = {term: costs.get(term, 0) - own.get(term, 0) for term in CostTerm}
        dearer = sorted([(-step, TERMS[term]) for term, step in steps.items() if 2 * step > more])
        return f", mostly for {words.listed([what for _, what in dearer[:_TERMS_COMPARED]])}" if dearer else ""

    def _failure(self, out: Candidate) -> str:
        return FAILED[out.fences[-1].fence](out.fences[-1])

    def _name(self, node_id: str) -> str:
        return self.names.get(node_id, node_id)

    def _money(self, amount: int) -> str:
        return words.money(amount, self.decision.currency)


def _units(lines: Sequence[DemandLine]) -> int:
    return sum([line.quantity for line in lines])


def _named(parts: Sequence[DemandLine]) -> list[str]:
    """`2 units of A`, for the first few SKUs."""
    wanted: Counter[str] = Counter()
    for line in parts:
        wanted[line.sku] += line.quantity
    first = list(wanted.items())[:_NAMED_AT_MOST]
    more = _units(parts) - sum([units for _, units in first])
    named = [f"{words.count(units, 'unit')} of {sku}" for sku, units in first]
    return [*named, f"{words.count(more, 'unit')} of other goods"] if more else named
