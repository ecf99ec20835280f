"""A draft: what one strategy makes of an order, fences first, then the cheapest plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from dom.network import Sku
from dom.ofl import lines
from dom.ofl.costs import lateness as lateness_cost
from dom.ofl.costs import offers_on, tally
from dom.ofl.fences import Site, asked, examine
from dom.ofl.models import Candidate, Demand, DemandLine, PlannedShipment, RunnerUp, Snapshot
from dom.ofl.problem import Item, Plan, Problem, Share, Source, load_of, source
from dom.ofl.rules import Rules
from dom.ofl.search import Found, search
from dom.parcels import PACKING_GRAMS
from dom.policy.document import LeftOver

Wanted = Mapping[str, int]
"""Units wanted, by SKU."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan under one strategy: the shipments, what they leave open, and how they were found.

    `sites` are all nodes by id, those of `eligible` passed every fence and are the problem's sources.
    """

    rules: Rules
    demand: Demand
    sites: Sequence[Site]
    eligible: Sequence[Site]
    problem: Problem
    found: Found
    shipments: tuple[PlannedShipment, ...]
    unfilled: tuple[DemandLine, ...]

    @property
    def wanted(self) -> list[str]:
        """The SKUs the sites' stock is told of, in its order."""
        return sorted({line.sku for line in self.demand.lines})

    @property
    def filled(self) -> int:
        """Units that are sourced."""
        asked_for = sum([line.quantity for line in self.demand.lines])
        return asked_for - sum([line.quantity for line in self.unfilled])


def draft(demand: Demand, snapshot: Snapshot, rules: Rules) -> Draft:
    """The best plan the strategy allows. With `left_over: lines`, a line that cannot be sourced whole waits whole."""
    made = _drafted(demand, snapshot, rules)
    if rules.split.left_over is not LeftOver.LINES:
        return made
    kept, part = demand.lines, made
    while part.unfilled and part.shipments:
        short = {line.line_id for line in part.unfilled}
        kept = tuple([line for line in kept if line.line_id not in short])
        if not kept:
            break
        part = _drafted(demand.model_copy(update={"lines": kept}), snapshot, rules)
    if part is made:
        return made
    shipments = part.shipments if kept and not part.unfilled else ()
    taken = {line.line_id for shipment in shipments for line in shipment.lines}
    waiting = tuple([line for line in demand.lines if line.line_id not in taken])
    return replace(made, shipments=shipments, unfilled=waiting)


def _drafted(demand: Demand, snapshot: Snapshot, rules: Rules) -> Draft:
    wanted = lines.wanted(demand.lines, snapshot.skus)
    sites = examined(demand, snapshot, rules, wanted)
    eligible = [site for site in sites if site.eligible]
    problem = stated(eligible, wanted, snapshot.skus, demand, rules)
    found = search(problem)
    shipments, unfilled = planned(found.best, problem, eligible, demand, rules)
    return Draft(rules, demand, sites, eligible, problem, found, shipments, unfilled)


def examined(demand: Demand, snapshot: Snapshot, rules: Rules, wanted: Wanted) -> list[Site]:
    """Every node of the network with its stock and the fences it passed, by node id."""
    question = asked(demand, snapshot, rules)
    available = snapshot.available
    return [
        examine(node, tuple([max(0, available.get((node.id, sku), 0)) for sku in wanted]), question)
        for node in sorted(snapshot.nodes, key=attrgetter("id"))
    ]


def stated(eligible: Sequence[Site], wanted: Wanted, skus: Mapping[str, Sku], demand: Demand, rules: Rules) -> Problem:
    """The question in numbers: nothing is asked for that the eligible nodes do not hold."""
    held = [sum(units) for units in zip(*[site.stock for site in eligible], strict=True)]
    items = tuple(
        [
            Item(sku, min(units, supply), skus[sku].weight_grams, skus[sku].volume_mm3)
            for (sku, units), supply in zip(wanted.items(), held, strict=False)
        ]
    )
    sources = tuple([_source(site, items, demand, rules) for site in eligible])
    units = sum([item.units for item in items])
    return Problem(items, sources, rules.split.maximum_shipments, rules.cost.split_penalty, units)


def planned(
    best: Plan | None, problem: Problem, eligible: Sequence[Site], demand: Demand, rules: Rules
) -> tuple[tuple[PlannedShipment, ...], tuple[DemandLine, ...]]:
    """The shipments of the plan, and the units it leaves unfilled."""
    shares = best.shares if best else ()
    given = [
        {item.sku: units for item, units in zip(problem.items, share.units, strict=True) if units} for share in shares
    ]
    shipped, unfilled = lines.dealt(demand.lines, given)
    shipments = [
        _shipment(share, goods, problem, eligible[share.source], demand, rules.cost.split_penalty if number else 0)
        for number, (share, goods) in enumerate(zip(shares, shipped, strict=True))
    ]
    return tuple(shipments), tuple(unfilled)


def candidates(made: Draft) -> tuple[Candidate, ...]:
    """What was found out about every node."""
    skus = made.wanted
    everything = sum([line.quantity for line in made.demand.lines])
    filling_alone = {
        site.node.id: alone.cost
        for site, alone in zip(made.eligible, made.found.alone, strict=True)
        if sum(alone.shares[0].units) == everything
    }
    return tuple(
        [
            Candidate(
                node_id=site.node.id,
                distance_km=site.distance_km,
                fences=site.fences,
                lines_in_full=lines.lines_in_full(made.demand.lines, dict(zip(skus, site.stock, strict=True))),
                alone_cost=filling_alone.get(site.node.id),
            )
            for site in made.sites
        ]
    )


def runner_up(made: Draft) -> RunnerUp | None:
    """The best plan with other nodes among those that were worked out; others may lie between."""
    second = made.found.runner_up
    return None if second is None else RunnerUp(node_ids=second.node_ids, cost=second.cost)


def _source(site: Site, items: tuple[Item, ...], demand: Demand, rules: Rules) -> Source:
    late = 0
    if site.collection is not None:
        late = lateness_cost(site.collection.promise.earliest, demand.requested_by, rules)
    offers = offers_on(site.ship_day.day, site.lanes, demand, rules) if site.ship_day else ()
    return source(site.node.id, site.stock, tally(site.node, site.distance_km, offers, late, rules), items)


def _shipment(
    share: Share, goods: Sequence[DemandLine], problem: Problem, site: Site, demand: Demand, split_penalty: int
) -> PlannedShipment:
    load = load_of(share.units, problem.items)
    used = problem.sources[share.source].tally
    offer = used.best_offer(load)
    promise = offer.promise if offer else site.collection.promise if site.collection else None
    if site.ship_day is None or promise is None:
        raise ValueError(f"{site.node.id} was planned without a day")
    return PlannedShipment(
        node_id=site.node.id,
        lines=tuple(goods),
        carrier=offer.lane.carrier if offer else None,
        service=demand.shipping_method,
        ship_by=site.ship_day.ship_by,
        ship_day=site.ship_day.day,
        promise=promise,
        weight_grams=load.grams + PACKING_GRAMS,
        costs=used.terms(load, split_penalty),
    )
