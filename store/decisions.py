"""The sourcing decisions that were made, each with what the planner saw."""

import json
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.ofl.models import SourcingDecision
from dom.ofl.seen import as_seen
from store import networks
from store.planning import Planned


def sourced_key(attempt: int) -> str:
    """The business key of an order's nth sourcing."""
    return f"sourced:{attempt}"


_DECIDED = text("""
INSERT INTO sourcing_decisions (order_id, attempt, business_key, policy_version, cause, first_fulfilment, document,
                                snapshot, network, decided_at)
VALUES (:order_id, :attempt, :business_key, :policy_version, :cause, :first_fulfilment,
        jsonb_build_object('demand', CAST(:demand AS jsonb), 'decision', CAST(:decision AS jsonb)),
        CAST(:snapshot AS jsonb), :network, :decided_at)
""")


async def record(
    connection: AsyncConnection,
    planned: Planned,
    *,
    attempt: int,
    cause: str,
    first_fulfilment: int,
) -> None:
    """Keep a decision with what was asked and what the planner saw.

    Its fulfilments are numbered from `first_fulfilment` on.
    """
    decision = planned.decision
    await networks.keep(connection, planned.network)
    await connection.execute(
        _DECIDED,
        {
            "order_id": decision.order_id,
            "attempt": attempt,
            "business_key": sourced_key(attempt),
            "policy_version": decision.policy_version,
            "cause": cause,
            "first_fulfilment": first_fulfilment,
            "demand": planned.demand.model_dump_json(),
            "decision": decision.model_dump_json(),
            "snapshot": json.dumps(as_seen(planned.snapshot, {line.sku for line in planned.demand.lines})),
            "network": planned.network.digest,
            "decided_at": decision.decided_at,
        },
    )


async def decision(connection: AsyncConnection, order_id: str, attempt: int) -> tuple[SourcingDecision, int] | None:
    """A decision made before, and the number of its first fulfilment; or None."""
    row = (
        await connection.execute(
            text("""
            SELECT document->'decision' AS decision, first_fulfilment FROM sourcing_decisions
            WHERE order_id = :order_id AND business_key = :business_key
            """),
            {"order_id": order_id, "business_key": sourced_key(attempt)},
        )
    ).one_or_none()
    if row is None:
        return None
    return SourcingDecision.model_validate(row.decision), row.first_fulfilment


async def of_order(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """Every decision made for an order, in sequence."""
    rows = await connection.execute(
        text("""
        SELECT attempt, cause, policy_version, first_fulfilment, document, decided_at FROM sourcing_decisions
        WHERE order_id = :order_id ORDER BY attempt
        """),
        {"order_id": order_id},
    )
    return rows.mappings().all()
