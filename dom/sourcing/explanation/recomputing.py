"""A decision made again from what was kept, and the full picture around it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dom.sourcing.constraints.fences import examine_in_full
from dom.sourcing.explanation.changes import confirmed, from_record
from dom.sourcing.explanation.missing_stock import stock_changes
from dom.sourcing.explanation.models import Change, Difference, ExplainedNode, Explanation, NodeVerdict
from dom.sourcing.explanation.record import Record
from dom.sourcing.models import PLANNER, CostTerm, FenceResult, SourcingDecision
from dom.sourcing.planning import lines
from dom.sourcing.planning.candidate_plan import CandidatePlan
from dom.sourcing.policy.document import Fence
from dom.sourcing.reasons.kept import by_term, filling_alone

NOT_COMPARED: Final = {"reasons", "planner", "plans_compared", "exact", "gap"}
"""What may come out otherwise without the decision being another: its wording, and how far the search got."""
_STOCK_ALONE: Final = frozenset({Fence.STOCK, Fence.KEPT_BACK, Fence.COMPLETE_ONLY, Fence.PICKING_VALUE})
"""Fences that a node with more stock would pass."""


def explained(record: Record) -> Explanation:
    """The decision made again on what the planner saw.

    What would change it is found by planning many times over; for an order that is too large to plan exactly it follows
    from the costs alone.
    """
    if record.snapshot is None:
        return Explanation(reproduced=False, because="It was decided before what the planner saw was kept.")
    again = record.recompute_decision(record.snapshot)
    differences = compared(record.decision, again)
    now = Record(record.demand, again, record.policy, record.snapshot)
    made = now.recompute_plan(record.snapshot)
    nodes = tuple(_nodes(made, again)) if made is not None else ()
    names = {node.id: node.name for node in record.snapshot.nodes}
    changes: Iterable[Change] = from_record(now, names)
    if again.exact:
        changes = (*confirmed(now, record.snapshot, names), *stock_changes(now, record.snapshot, _able(nodes), names))
    return Explanation(
        reproduced=not differences,
        because=_why(record.decision) if differences else "",
        differences=differences,
        nodes=nodes,
        changes=tuple(changes),
    )


def compared(then: SourcingDecision, now: SourcingDecision) -> tuple[Difference, ...]:
    """The fields in which two decisions of one order differ."""
    before, after = _fields(then), _fields(now)
    if not then.planner:
        before.pop("candidates")
    return tuple(
        [Difference(field=name, then=value, now=after[name]) for name, value in before.items() if value != after[name]]
    )


def _fields(decision: SourcingDecision) -> dict[str, Any]:
    return decision.model_dump(mode="json", exclude=NOT_COMPARED)


def _why(then: SourcingDecision) -> str:
    if then.planner != PLANNER:
        was = f"version {then.planner}" if then.planner else "an earlier version"
        return f"It was decided by {was} of the planner; this is version {PLANNER}."
    if not then.exact:
        return "The search was cut short when it was decided, and got to another point this time."
    return "The same planner decides otherwise on what was kept: something it depends on was not kept, or was changed."


def _nodes(made: CandidatePlan, decision: SourcingDecision) -> Iterator[ExplainedNode]:
    fences = examine_in_full(made.context)
    alone = dict(_alone(made))
    filling = filling_alone(made)
    used = {shipment.node_id for shipment in decision.shipments}
    for site in made.sites:
        node, held = site.node, dict(zip(made.wanted, site.stock, strict=True))
        costs = alone.get(node.id)
        yield ExplainedNode(
            node_id=node.id,
            name=node.name,
            verdict=_verdict(node.id, used, fences[node.id], eligible=site.eligible),
            distance_km=None if site.distance_km is None else round(site.distance_km, 1),
            fences=fences[node.id],
            stock={sku: units for sku, units in held.items() if units},
            lines_in_full=lines.lines_in_full(made.demand.lines, held),
            alone_cost=None if costs is None else sum(costs.values()),
            alone_costs=costs or {},
            fills_alone=node.id in filling,
        )


def _verdict(node_id: str, used: set[str], fences: tuple[FenceResult, ...], *, eligible: bool) -> NodeVerdict:
    if node_id in used:
        return NodeVerdict.CHOSEN
    return NodeVerdict.NOT_CHOSEN if eligible and all(result.passed for result in fences) else NodeVerdict.LEFT_OUT


def _alone(made: CandidatePlan) -> Iterator[tuple[str, dict[CostTerm, int]]]:
    """What all that each node can give would cost from there alone."""
    for plan in made.found.alone:
        shipments, _ = made.planned(plan)
        yield plan.node_ids[0], by_term(shipments)


def _able(nodes: tuple[ExplainedNode, ...]) -> Mapping[str, float]:
    """The nodes that pass every fence, or would with more stock, with their distance."""
    return {
        node.node_id: node.distance_km or 0.0
        for node in nodes
        if all(result.passed or result.fence in _STOCK_ALONE for result in node.fences)
    }
