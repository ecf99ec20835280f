"""A draft: what one strategy makes of an order, fences first, then the cheapest plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dom.delivery.parcels import PACKING_GRAMS
from dom.sourcing.constraints.context import PlanningContext, planning_context
from dom.sourcing.constraints.fences import Site, days_until, examine, used_share
from dom.sourcing.costs import (
    CostTally,
    Load,
    NodeCosts,
    Terms,
    carbon_per_gram,
    distance_cost,
    shipment_terms,
    summed,
    unit_terms,
    weighs_units,
)
from dom.sourcing.costs import lateness as lateness_cost
from dom.sourcing.models import NO_VALUE, CostTerm, Demand, DemandLine, PlannedShipment, Snapshot
from dom.sourcing.planning import lines
from dom.sourcing.planning.lots import Lot, lots
from dom.sourcing.policy.document import LeftOver, TieBreak
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.solver.problem import Item, Share, SolverPlan, SolverProblem, Source, load_of
from dom.sourcing.solver.search import SearchResult, search


@dataclass(frozen=True, slots=True)
class CandidatePlan:
    """A plan under one strategy: the shipments, what they leave open, and how they were found.

    `sites` are all nodes by id, those of `eligible` passed every fence and are the problem's sources; `lots` are its
    items. Where lines were left over whole, the shipments answer a smaller question than the one that stands here.
    """

    rules: Rules
    demand: Demand
    context: PlanningContext
    sites: Sequence[Site]
    eligible: Sequence[Site]
    lots: tuple[Lot, ...]
    problem: SolverProblem
    found: SearchResult
    shipments: tuple[PlannedShipment, ...] = ()
    unfilled: tuple[DemandLine, ...] = ()
    lines_left_over: bool = False

    @property
    def wanted(self) -> list[str]:
        """The SKUs the sites' stock is told of, in its order."""
        return list(self.context.skus)

    @property
    def filled(self) -> int:
        """Units that are sourced."""
        asked_for = sum([line.quantity for line in self.demand.lines])
        return asked_for - sum([line.quantity for line in self.unfilled])

    @property
    def reachable(self) -> bool:
        """Whether the eligible nodes hold everything together, however many they are."""
        return all(item.units == lot.units for item, lot in zip(self.problem.items, self.lots, strict=True))

    def planned(self, plan: SolverPlan | None) -> tuple[tuple[PlannedShipment, ...], tuple[DemandLine, ...]]:
        """The shipments of a plan of the draft's problem, and the units it leaves unfilled."""
        shares = plan.shares if plan else ()
        shipped, unfilled = lines.dealt(self.demand.lines, [self._given(share) for share in shares])
        penalty = self.rules.cost.split_penalty
        shipments = [
            _shipment(share, goods, self, penalty if number else 0)
            for number, (share, goods) in enumerate(zip(shares, shipped, strict=True))
        ]
        return tuple(shipments), tuple(unfilled)

    def _given(self, share: Share) -> dict[str, int]:
        """What a share gives, by SKU."""
        codes = self.context.skus
        return {
            codes[place]: units * count
            for lot, units in zip(self.lots, share.units, strict=True)
            if units
            for place, count in lot.goods
        }


def draft(demand: Demand, snapshot: Snapshot, rules: Rules) -> CandidatePlan:
    """The best plan the strategy allows. With `left_over: lines`, a line that cannot be sourced whole waits whole."""
    made = _drafted(demand, snapshot, rules)
    if rules.split.left_over is not LeftOver.LINES or not made.unfilled:
        return made
    kept, part = demand.lines, made
    while kept and part.unfilled:
        short = {line.line_id for line in part.unfilled}
        kept = tuple([line for line in kept if line.line_id not in short])
        if kept:
            part = _drafted(demand.model_copy(update={"lines": kept}), snapshot, rules)
    shipments = part.shipments if kept else ()
    taken = {line.line_id for shipment in shipments for line in shipment.lines}
    waiting = tuple([line for line in demand.lines if line.line_id not in taken])
    return replace(made, shipments=shipments, unfilled=waiting, lines_left_over=True)


def _drafted(demand: Demand, snapshot: Snapshot, rules: Rules) -> CandidatePlan:
    wanted = lines.wanted(demand.lines, snapshot.skus)
    context = planning_context(demand, snapshot, rules, wanted)
    sites = examine(context)
    eligible = [site for site in sites if site.eligible]
    goods = lots(wanted, snapshot.skus, rules.split)
    problem = stated(eligible, goods, context)
    made = CandidatePlan(rules, demand, context, sites, eligible, goods, problem, search(problem))
    shipments, unfilled = made.planned(made.found.best)
    return replace(made, shipments=shipments, unfilled=unfilled)


def stated(eligible: Sequence[Site], goods: Sequence[Lot], context: PlanningContext) -> SolverProblem:
    """The question in numbers: nothing is asked for that the eligible nodes do not hold."""
    split, cost = context.rules.split, context.rules.cost
    skus = [context.snapshot.skus[sku] for sku in context.skus]
    held = held_of(eligible, goods, context)
    supply = [sum(units) for units in zip(*held, strict=True)] or [0] * len(goods)
    items = tuple([lot.item(units, skus, context.values) for lot, units in zip(goods, supply, strict=True)])
    weighing = weighing_for(context, goods, items)
    sources = tuple([weighing.source(site, stock) for site, stock in zip(eligible, held, strict=True)])
    return SolverProblem(
        items=items,
        sources=sources,
        maximum_shipments=split.maximum_shipments,
        split_penalty=cost.split_penalty,
        units=sum([item.units * item.pieces for item in items]),
        minimum_value=split.minimum_value if context.values else 0,
        minimum_units=split.minimum_units,
    )


def held_of(eligible: Sequence[Site], goods: Sequence[Lot], context: PlanningContext) -> list[tuple[int, ...]]:
    """What each node can give of each lot, no more than is wanted."""
    if not all(lot.parts for lot in goods):
        return [tuple([lot.held(site.usable) for lot in goods]) for site in eligible]
    wanted = context.wanted
    return [tuple([min(pair) for pair in zip(site.usable, wanted, strict=True)]) for site in eligible]


@dataclass(frozen=True, slots=True)
class _Weighing:
    """Puts a price on the nodes that may take part, and remembers what many of them have in common."""

    context: PlanningContext
    goods: Sequence[Lot]
    items: tuple[Item, ...]
    pieces: tuple[int, ...]
    """Units of goods in one of each lot."""
    by_unit: bool
    """Whether what a unit costs depends on what it is and where it lies."""
    days: dict[tuple[int, Load], int] = field(default_factory=dict)

    def source(self, site: Site, stock: tuple[int, ...]) -> Source:
        """The node as the solver knows it."""
        context, evaluated = self.context, site.evaluated
        load, whole = self._held(stock)
        return Source(
            node_id=evaluated.node_id,
            stock=stock,
            whole=whole,
            all_it_holds=load,
            tally=CostTally(_own_costs(site).base + _shipment_cost(site, context), site.offers),
            unit_costs=self.unit_costs(site),
            ties=self._ties(site, load),
            minimum_value=evaluated.minimum_value if context.values else 0,
            alone_only=evaluated.complete_only,
        )

    def unit_costs(self, site: Site) -> tuple[int, ...]:
        """What one unit of each lot costs from there."""
        own = _own_costs(site).unit
        if not self.by_unit:
            return tuple([own * pieces for pieces in self.pieces])
        context = self.context
        each = [own + sum(_unit_terms(site, place, context).values()) for place in range(len(context.skus))]
        return tuple([sum([each[place] * count for place, count in lot.goods]) for lot in self.goods])

    def _held(self, stock: tuple[int, ...]) -> tuple[Load, int]:
        """All it holds, as `dom.sourcing.solver.problem.load_of`, and a bit for each item it holds whole."""
        pieces = grams = mm3 = whole = 0
        bit = 1
        for units, item in zip(stock, self.items, strict=True):
            if units:
                pieces += units * item.pieces
                grams += units * item.grams
                mm3 += units * item.mm3
            if units == item.units:
                whole |= bit
            bit <<= 1
        return Load(pieces, grams, mm3), whole

    def _ties(self, site: Site, load: Load) -> tuple[int, ...]:
        """What a shipment from there adds to each tie-break; the promise is that for all it holds."""
        found = []
        for tie in self.context.rules.strategy.tie_breaks:
            if tie is TieBreak.FEWER_SHIPMENTS:
                found.append(1)
            elif tie is TieBreak.NEARER:
                found.append(round(site.distance_km or 0))
            elif tie is TieBreak.PRIORITY:
                found.append(site.node.priority)
            else:
                found.append(self._days(site, load))
        return tuple(found)

    def _days(self, site: Site, load: Load) -> int:
        as_of, offers = self.context.demand.as_of, site.offers
        if not offers:
            return days_until(site.collection.promise.latest, as_of) if site.collection else 0
        key = (id(offers), load)
        if key not in self.days:
            offer = CostTally(0, offers).best_offer(load) or offers[0]
            self.days[key] = days_until(offer.promise.latest, as_of)
        return self.days[key]


def weighing_for(context: PlanningContext, goods: Sequence[Lot], items: tuple[Item, ...]) -> _Weighing:
    """The scales for one order."""
    pieces = tuple([sum([count for _, count in lot.goods]) for lot in goods])
    return _Weighing(context, goods, items, pieces, weighs_units(context.rules.cost))


def _shipment(share: Share, goods: Sequence[DemandLine], made: CandidatePlan, split_penalty: int) -> PlannedShipment:
    site, demand = made.eligible[share.source], made.demand
    load = load_of(share.units, made.problem.items)
    offer = made.problem.sources[share.source].tally.best_offer(load)
    promise = offer.promise if offer else site.collection.promise if site.collection else None
    if site.ship_day is None or promise is None:
        raise ValueError(f"{site.node.id} was planned without a day")
    travel: Terms = {CostTerm.SPLIT: split_penalty}
    if offer is not None:
        travel[CostTerm.FREIGHT] = offer.cost(load.grams, load.mm3) - offer.lateness
        travel[CostTerm.LATENESS] = offer.lateness
    return PlannedShipment(
        node_id=site.node.id,
        lines=tuple(goods),
        carrier=offer.lane.carrier if offer else None,
        service=offer.lane.service if offer else demand.shipping_method,
        ship_by=site.ship_day.ship_by,
        ship_day=site.ship_day.day,
        promise=promise,
        weight_grams=load.grams + PACKING_GRAMS,
        pickup_node=demand.pickup_node if offer is not None and offer.collected else None,
        costs=_shown(summed(travel, _costs_of(site, share, made))),
    )


_ALWAYS_SHOWN = (
    CostTerm.FREIGHT,
    CostTerm.HANDLING,
    CostTerm.SPLIT,
    CostTerm.LATENESS,
    CostTerm.DISTANCE,
    CostTerm.PRIORITY,
)


def _shown(terms: Terms) -> Terms:
    """The usual terms even where they come to nothing, the others where they come to something."""
    return {term: terms.get(term, 0) for term in CostTerm if term in _ALWAYS_SHOWN or terms.get(term)}


def _costs_of(site: Site, share: Share, made: CandidatePlan) -> Terms:
    """What a shipment costs apart from what the carrier and the split add."""
    context, own = made.context, _own_costs(site)
    found = summed(own.base_terms, _shipment_terms(site, context))
    for lot, units in zip(made.lots, share.units, strict=True):
        for place, count in lot.goods if units else ():
            each = summed(own.unit_terms, _unit_terms(site, place, context))
            found = summed(found, {term: units * count * amount for term, amount in each.items()})
    return found


def _own_costs(site: Site) -> NodeCosts:
    costs = site.evaluated.costs
    if costs is None:
        raise ValueError(f"the policy has no exchange rate for {site.node.currency}")
    return costs


def _shipment_terms(site: Site, context: PlanningContext) -> Terms:
    rules = context.rules
    late = 0
    if site.collection is not None:
        late = lateness_cost(site.collection.promise.earliest, context.demand, rules)
    share = used_share(site, context.snapshot) if rules.cost.capacity_balance else 0.0
    return shipment_terms(rules.cost, site.evaluated.method, site.distance_km, share, late)


def _shipment_cost(site: Site, context: PlanningContext) -> int:
    """The sum of `_shipment_terms`, in the usual case without them."""
    cost = context.rules.cost
    if cost.capacity_balance or cost.carbon or site.collection is not None:
        return sum(_shipment_terms(site, context).values())
    return distance_cost(cost, site.distance_km)


def _unit_terms(site: Site, place: int, context: PlanningContext) -> Mapping[CostTerm, int]:
    cost, sku = context.rules.cost, context.skus[place]
    if not weighs_units(cost):
        return {}
    snapshot = context.snapshot
    value = snapshot.values.get((site.node.id, sku), NO_VALUE)
    per_gram = carbon_per_gram(cost, site.evaluated.method, site.distance_km)
    return unit_terms(cost, snapshot.skus[sku], value, site.stock[place], per_gram)
