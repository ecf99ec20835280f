"""What is kept of a draft with its decision: enough to audit it, and no more than that for every order."""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import ge

from dom.delivery.parcels import PACKING_GRAMS
from dom.network import Sku
from dom.sourcing.constraints.fences import Site
from dom.sourcing.models import Candidate, CostTerm, PassedOver, PlannedShipment, RunnerUp
from dom.sourcing.planning import lines
from dom.sourcing.planning.candidate_plan import CandidatePlan
from dom.sourcing.planning.ruled_out import may_take_part
from dom.sourcing.policy.document import Fence


def candidates(made: CandidatePlan) -> tuple[Candidate, ...]:
    """The nodes that hold goods of the order, by id."""
    filling, one_line_each = filling_alone(made), len(made.demand.lines) == len(made.context.skus)
    return tuple(
        [_candidate(site, made, filling, one_line_each=one_line_each) for site in made.sites if _is_listed(site, made)]
    )


def others(made: CandidatePlan) -> dict[Fence, int]:
    """How many nodes `candidates` leaves out, by why."""
    left_out = [site for site in made.sites if not _is_listed(site, made)]
    return dict(Counter([Fence.PICKUP if any(site.stock) else Fence.STOCK for site in left_out]))


def runner_up(made: CandidatePlan) -> RunnerUp | None:
    """The best plan with other nodes among those that were worked out; others may lie between.

    None where lines were left over whole: what was found fills parts of them, and does not compare.
    """
    second = made.found.runner_up
    if second is None or made.lines_left_over:
        return None
    shipments, _ = made.planned(second)
    return RunnerUp(
        node_ids=second.node_ids,
        cost=second.cost,
        costs=by_term(shipments),
        freight={shipment.node_id: shipment.costs.get(CostTerm.FREIGHT, 0) for shipment in shipments},
    )


def by_term(shipments: tuple[PlannedShipment, ...]) -> dict[CostTerm, int]:
    """What shipments cost together, term by term; terms that come to nothing are left out."""
    sums: Counter[CostTerm] = Counter()
    for shipment in shipments:
        sums.update(shipment.costs)
    return {term: sums[term] for term in CostTerm if sums[term]}


def passed_over(made: CandidatePlan, skus: Mapping[str, Sku]) -> tuple[PassedOver, ...]:
    """Carriers whose freight would have been less for a planned shipment: for each, the one with the least."""
    return () if made.lines_left_over else tuple(_cheaper(made, skus))


def filling_alone(made: CandidatePlan) -> dict[str, int]:
    """What it costs to have all of the order from one node, by the nodes that can."""
    if not made.reachable:
        return {}
    return {alone.node_ids[0]: alone.cost for alone in made.found.alone if alone.short == 0}


def _candidate(site: Site, made: CandidatePlan, filling: Mapping[str, int], *, one_line_each: bool) -> Candidate:
    wanted, stock = made.context.wanted, site.stock
    if one_line_each:
        in_full = sum(map(ge, stock, wanted))
    else:
        in_full = lines.lines_in_full(made.demand.lines, dict(zip(made.wanted, stock, strict=True)))
    return Candidate.model_construct(
        node_id=site.node.id,
        distance_km=None if site.distance_km is None else round(site.distance_km, 1),
        fences=() if site.eligible else site.fences[-1:],
        units=sum(map(min, stock, wanted)),
        lines_in_full=in_full,
        alone_cost=filling.get(site.node.id),
    )


def _is_listed(site: Site, made: CandidatePlan) -> bool:
    """Whether it holds something, and the customer does not collect somewhere else, where it may not send it."""
    return any(site.stock) and may_take_part(made, site.evaluated.node_id)


def _cheaper(made: CandidatePlan, skus: Mapping[str, Sku]) -> Iterator[PassedOver]:
    tallies = {source.node_id: source.tally for source in made.problem.sources}
    for shipment in made.shipments:
        offers = tallies[shipment.node_id].offers
        if shipment.carrier is None or len(offers) < 2:  # noqa: PLR2004
            continue
        grams = shipment.weight_grams - PACKING_GRAMS
        mm3 = sum([line.quantity * skus[line.sku].volume_mm3 for line in shipment.lines])
        least = min(offers, key=lambda offer: (offer.cost(grams, mm3) - offer.lateness, offer.lane.carrier))
        freight = least.cost(grams, mm3) - least.lateness
        if least.lane.carrier != shipment.carrier and freight < shipment.costs.get(CostTerm.FREIGHT, 0):
            yield PassedOver(
                node_id=shipment.node_id,
                carrier=least.lane.carrier,
                freight=freight,
                latest=least.arrives,
            )
