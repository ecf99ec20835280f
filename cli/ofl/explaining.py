"""`dom ofl explain`: why an order is sourced as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment, problems_as_one_line

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.sourcing.explanation.models import ExplainedNode, Explanation
    from dom.sourcing.models import Candidate, SourcingDecision
    from store.sourcing.explanations import Kept

OrderId = Annotated[str, typer.Argument(help="The order's id, such as web-536365.")]
Attempt = Annotated[
    int | None, typer.Option("--attempt", min=1, help="Which of the order's decisions; without it the last.")
]
Full = Annotated[bool, typer.Option("--full", help="Every fence of every node, also after the first it failed.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, as the API answers it with `full=true`.")]


def explain(order_id: OrderId, attempt: Attempt = None, full: Full = False, as_json: AsJson = False) -> None:
    """Say why an order is sourced as it is: in sentences, node by node, cost by cost, and what would change it."""
    with problems_as_one_line():
        kept, decisions = _asked_for(order_id, attempt)
    if as_json:
        from pydantic_core import to_json

        from api.orders.sourcing import stored_decision

        print(to_json(stored_decision(kept, full=True), indent=2).decode())
        return
    from dom.sourcing.explanation.recomputing import explained

    explanation = explained(kept.record)
    screen = console()
    typer.echo(_heading(kept, decisions))
    for sentence in kept.record.decision.reasons:
        typer.echo(f"- {sentence}")
    typer.echo(_holders(kept))
    if kept.record.decision.candidates:
        screen.print(_nodes(kept, explanation))
    if kept.record.decision.shipments:
        screen.print(_costs(kept))
    for line in _changes(explanation):
        typer.echo(line)
    typer.echo(_again(explanation))
    if full:
        typer.echo("Every fence:")
        screen.print(_fences(explanation.nodes))


def _asked_for(order_id: str, attempt: int | None) -> tuple[Kept, int]:
    """The decision asked for, and how many the order has."""
    from cli.problems import StartProblem
    from cli.records import in_database
    from store.sourcing import explanations

    async def work(connection: AsyncConnection) -> Sequence[Kept]:
        return await explanations.kept(connection, order_id, snapshots=True)

    found = in_database(*environment(), work)
    if not found:
        raise StartProblem(f"no decision is on record for an order {order_id}", "look for it with GET /v1/orders?q=...")
    for kept in found:
        if kept.attempt == (attempt or found[-1].attempt):
            return kept, len(found)
    raise StartProblem(f"order {order_id} has no decision {attempt}", f"it has {len(found)}; leave --attempt out")


def _heading(kept: Kept, decisions: int) -> str:
    decision = kept.record.decision
    which = f"decision {kept.attempt} of {decisions}" if decisions > 1 else "decided once"
    by = f"policy version {kept.policy_version}, strategy {decision.strategy or 'none'}"
    return (
        f"{decision.order_id}: {which} ({kept.cause}), {kept.decided_at:%Y-%m-%d %H:%M:%SZ}, {by}, {decision.outcome}"
    )


def _holders(kept: Kept) -> str:
    """How many nodes hold goods of the order, and how many do not."""
    decision = kept.record.decision
    others = ", ".join(f"{count} {_NOT_LISTED.get(fence, fence)}" for fence, count in decision.others.items())
    holders = len(decision.candidates)
    return f"{holders} node{'' if holders == 1 else 's'} with goods of it{f'; {others}' if others else ''}"


def _nodes(kept: Kept, explanation: Explanation) -> Table:
    """The nodes that hold goods."""
    decision = kept.record.decision
    used = {shipment.node_id for shipment in decision.shipments}
    stock = {node.node_id: node.stock for node in explanation.nodes}
    rows = (
        (
            c.node_id,
            _verdict(c, used),
            "-" if c.distance_km is None else f"{c.distance_km:.0f} km",
            _has(stock.get(c.node_id, {})) or f"{c.units} units",
            "-" if c.alone_cost is None else _money(c.alone_cost, decision),
        )
        for c in sorted(decision.candidates, key=lambda c: (c.node_id not in used, not c.eligible, c.distance_km or 0))
    )
    return _table(("node", "verdict", "distance", "has", "cost alone"), rows)


def _has(stock: Mapping[str, int]) -> str:
    """What a node holds of the order's SKUs; of many the first few."""
    named = [f"{units} {sku}" for sku, units in islice(stock.items(), _SKUS_NAMED)]
    more = len(stock) - len(named)
    return ", ".join([*named, f"{more} more SKUs"] if more > 0 else named)


_SKUS_NAMED = 4
_NOT_LISTED = {"stock": "without", "pickup": "not where the customer collects"}


def _verdict(candidate: Candidate, used: set[str]) -> str:
    if candidate.node_id in used:
        return "chosen"
    if candidate.eligible:
        return "not chosen"
    failed = candidate.fences[-1]
    return f"left out: {failed.fence} ({failed.actual}; {failed.expected})"


def _costs(kept: Kept) -> Table:
    """The chosen plan against the runner-up, term by term."""
    from dom.sourcing.reasons.kept import by_term

    decision = kept.record.decision
    second, own = decision.runner_up, by_term(decision.shipments)
    other = second.costs if second else {}
    terms = [term for term in (*own, *(t for t in other if t not in own)) if own.get(term) or other.get(term)]
    names = " + ".join(shipment.node_id for shipment in decision.shipments) or "nothing"

    def row(name: str, mine: int, theirs: int) -> tuple[str, ...]:
        told = (_money(mine, decision),)
        return (name, *told, _money(theirs, decision), _money(theirs - mine, decision)) if second else (name, *told)

    columns = ["cost", f"chosen: {names}"]
    if second is not None:
        columns += [f"runner-up: {' + '.join(second.node_ids)}", "difference"]
    rows = [row(str(term), own.get(term, 0), other.get(term, 0)) for term in terms]
    rows.append(row("total", decision.cost, second.cost if second else 0))
    return _table(columns, rows)


def _changes(explanation: Explanation) -> Iterator[str]:
    if explanation.changes:
        yield "What would change it:"
    for change in explanation.changes:
        yield f"- {change.sentence}"


def _again(explanation: Explanation) -> str:
    if explanation.reproduced:
        return "Decided again on what the planner saw: the same."
    fields = ", ".join(difference.field for difference in explanation.differences)
    return f"Not reproduced. {explanation.because}{f' Different: {fields}.' if fields else ''}"


def _fences(nodes: Iterable[ExplainedNode]) -> Table:
    rows = (
        (node.node_id, str(result.fence), "yes" if result.passed else "NO", result.expected, result.actual)
        for node in nodes
        for result in node.fences
    )
    return _table(("node", "fence", "passed", "expected", "actual"), rows)


def _money(amount: int, decision: SourcingDecision) -> str:
    from dom.sourcing.reasons.words import money

    return money(amount, decision.currency)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    return table
