"""What is short goes as an approved substitute, where policy and customer allow it.

All choices of substitutes are planned with the whole order, on one view of the stock, and compared. What is chosen is
an edit of the order by the policy (`system:ofl`): a revision that says which units stand for which.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.commands import EditOrder
from dom.orders.editing.changes import TakeSubstitute
from dom.orders.order import MAX_LINES, Order
from dom.shared.access import OFL
from dom.sourcing.models import Outcome
from dom.sourcing.policy.document import Policy
from dom.sourcing.sourced import SourcingRun
from dom.sourcing.substitution import Choice, best, choices, with_choice
from services import sourcing
from services.change_orders import Writing, change_order
from services.database import Database
from services.planning import decide, see
from store.orders import customer_questions, reads
from store.sourcing.decisions import Planned

SUBSTITUTED: Final = "What is short goes as approved substitutes: the order is planned anew with them."


async def choose(
    connection: AsyncConnection, database: Database, order: Order, planned: Planned, run: SourcingRun
) -> Choice:
    """The substitutes to be taken for what the plan leaves over; empty if none is approved, allowed and there."""
    decision, policy = planned.decision, database.reference.last_seen.policy
    if not order.allow_substitutes or decision.outcome is Outcome.CANCELLED:
        return ()
    return await possible(connection, database, order, planned, run) if _allowed(policy, decision.strategy) else ()


async def possible(
    connection: AsyncConnection, database: Database, order: Order, planned: Planned, run: SourcingRun
) -> Choice:
    """The best substitutes for what the plan leaves over, if the customer took them; empty if none is approved and
    there.
    """
    decision = planned.decision
    if not decision.unfilled or len(order.lines) + len(decision.unfilled) > MAX_LINES:
        return ()
    approved = {each.sku for line in decision.unfilled for each in planned.snapshot.skus[line.sku].substitutes}
    approved -= set(await reads.unknown_skus(connection, sorted(approved))) if approved else set()
    if not approved:
        return ()
    terms = sourcing.terms_of(order, run)
    seen = await see(connection, database.reference, planned.demand, terms, sorted(approved))
    plans = [
        (choice, await decide(seen, with_choice(seen.demand, choice)))
        for choice in choices(seen.demand, decision.unfilled, seen.world.skus, [line.line_id for line in order.lines])
    ]
    return best(plans)


def changes(choice: Choice) -> tuple[TakeSubstitute, ...]:
    """The edit by which the substitutes stand for what they replace."""
    return tuple(
        TakeSubstitute(
            line_id=each.line.line_id,
            units=each.units,
            new_line_id=each.line_id,
            sku=each.substitute.sku,
            quantity=each.quantity,
            unit_price=each.unit_price,
        )
        for each in choice
    )


async def take(
    connection: AsyncConnection, order_id: str, revision: int, choice: Choice, run: SourcingRun, writing: Writing
) -> None:
    """Edit the order so that the substitutes stand for what they replace."""
    reason = ", ".join(
        f"{each.units} {each.line.sku} short: {each.quantity} {each.substitute.sku} ({each.substitute.price})"
        for each in choice
    )
    command = EditOrder(revision=revision, changes=changes(choice), actor=OFL, at=run.as_of, reason=reason[:500])
    await change_order(connection, order_id, command, writing)
    for each in choice:
        await customer_questions.stands_for(connection, order_id, each.line_id, each.line.line_id)


def _allowed(policy: Policy, strategy: str) -> bool:
    return next((each.substitutes for each in policy.strategies if each.name == strategy), False)
