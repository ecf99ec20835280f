"""The planner: an order, the world and a policy in; a sourcing plan with its reasons out."""

from collections.abc import Mapping, Sequence
from operator import attrgetter

from dom.atp import next_release
from dom.network import Sku
from dom.ofl import lines
from dom.ofl.costs import lateness as lateness_cost
from dom.ofl.costs import offers_on, tally
from dom.ofl.explain import reasons
from dom.ofl.fences import Site, asked, examine
from dom.ofl.models import (
    Candidate,
    Demand,
    DemandLine,
    PlannedShipment,
    Policy,
    RunnerUp,
    Snapshot,
    SourcingDecision,
)
from dom.ofl.problem import Item, Plan, Problem, Share, Source, load_of, source
from dom.ofl.search import Found, search
from dom.parcels import PACKING_GRAMS

Wanted = Mapping[str, int]
"""Units wanted, by SKU."""


def plan(demand: Demand, snapshot: Snapshot, policy: Policy, policy_version: int) -> SourcingDecision:
    """Decide which node ships which units of the demand.

    As many units as possible are filled, at the least cost; `dom.ofl.problem` has the rules, `dom.ofl.search` the
    limits up to which the answer is exact. The order of nodes, tariffs and stock in the snapshot plays no part.
    UnknownSku if the snapshot's catalogue lacks a SKU of the demand.
    """
    wanted = lines.wanted(demand.lines, snapshot.skus)
    sites = examined(demand, snapshot, policy, wanted)
    eligible = [site for site in sites if site.eligible]
    problem = stated(eligible, wanted, snapshot.skus, demand, policy)
    found = search(problem)
    shipments, unfilled = planned(found.best, problem, eligible, demand, policy)
    decision = SourcingDecision(
        order_id=demand.order_id,
        policy_version=policy_version,
        decided_at=snapshot.taken_at,
        currency=policy.currency,
        shipments=shipments,
        unfilled=unfilled,
        candidates=candidates(sites, eligible, found, demand, wanted),
        runner_up=runner_up(found),
        exact=found.exact,
        plans_compared=found.compared,
        reasons=(),
        next_release=next_release(
            [snapshot.skus[sku] for sku in sorted({line.sku for line in unfilled})], snapshot.nodes, demand.as_of
        ),
    )
    return decision.model_copy(update={"reasons": reasons(decision, demand, policy, sites)})


def examined(demand: Demand, snapshot: Snapshot, policy: Policy, wanted: Wanted) -> list[Site]:
    """Every node of the network with its stock and the fences it passed, by node id."""
    question = asked(demand, snapshot, policy)
    available = snapshot.available
    return [
        examine(node, tuple([max(0, available.get((node.id, sku), 0)) for sku in wanted]), question)
        for node in sorted(snapshot.nodes, key=attrgetter("id"))
    ]


def stated(
    eligible: Sequence[Site], wanted: Wanted, skus: Mapping[str, Sku], demand: Demand, policy: Policy
) -> Problem:
    """The question in numbers: nothing is asked for that the eligible nodes do not hold."""
    held = [sum(units) for units in zip(*[site.stock for site in eligible], strict=True)]
    items = tuple(
        [
            Item(sku, min(units, supply), skus[sku].weight_grams, skus[sku].volume_mm3)
            for (sku, units), supply in zip(wanted.items(), held, strict=False)
        ]
    )
    sources = tuple([_source(site, items, demand, policy) for site in eligible])
    return Problem(items, sources, policy.maximum_shipments, policy.split_penalty, sum([item.units for item in items]))


def planned(
    best: Plan | None, problem: Problem, eligible: Sequence[Site], demand: Demand, policy: Policy
) -> tuple[tuple[PlannedShipment, ...], tuple[DemandLine, ...]]:
    """The shipments of the plan, and the units it leaves unfilled."""
    shares = best.shares if best else ()
    given = [
        {item.sku: units for item, units in zip(problem.items, share.units, strict=True) if units} for share in shares
    ]
    shipped, unfilled = lines.dealt(demand.lines, given)
    shipments = [
        _shipment(share, goods, problem, eligible[share.source], demand, policy.split_penalty if number else 0)
        for number, (share, goods) in enumerate(zip(shares, shipped, strict=True))
    ]
    return tuple(shipments), tuple(unfilled)


def candidates(
    sites: Sequence[Site], eligible: Sequence[Site], found: Found, demand: Demand, wanted: Wanted
) -> tuple[Candidate, ...]:
    """What was found out about every node."""
    everything = sum(wanted.values())
    filling_alone = {
        site.node.id: alone.cost
        for site, alone in zip(eligible, found.alone, strict=True)
        if sum(alone.shares[0].units) == everything
    }
    return tuple(
        [
            Candidate(
                node_id=site.node.id,
                distance_km=site.distance_km,
                fences=site.fences,
                lines_in_full=lines.lines_in_full(demand.lines, dict(zip(wanted, site.stock, strict=True))),
                alone_cost=filling_alone.get(site.node.id),
            )
            for site in sites
        ]
    )


def runner_up(found: Found) -> RunnerUp | None:
    """The best plan with other nodes among those that were worked out; others may lie between."""
    second = found.runner_up
    return None if second is None else RunnerUp(node_ids=second.node_ids, cost=second.cost)


def _source(site: Site, items: tuple[Item, ...], demand: Demand, policy: Policy) -> Source:
    late = 0
    if site.collection is not None:
        late = lateness_cost(site.collection.promise.earliest, demand.requested_by, policy)
    offers = offers_on(site.ship_day.day, site.lanes, demand, policy) if site.ship_day else ()
    return source(site.node.id, site.stock, tally(site.node, site.distance_km, offers, late, policy), items)


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
