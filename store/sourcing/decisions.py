"""The sourcing decisions that were made, each with what the planner saw."""

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.sourcing.models import Demand, Outcome, Snapshot, SourcingDecision
from dom.sourcing.planning.snapshot_codec import pack
from store.network import versions
from store.network.versions import Network


@dataclass(frozen=True, slots=True)
class Planned:
    """What was asked of the planner, what it saw, and what it answered. `network` names the nodes and tariffs."""

    demand: Demand
    snapshot: Snapshot
    network: Network
    decision: SourcingDecision
    hold: timedelta = timedelta()
    """How long the policy holds work back before its node sees it."""


def sourced_key(number: int) -> str:
    """The business key of an order's nth sourcing by its own process."""
    return f"sourced:{number}"


def reoptimisation_key(number: int) -> str:
    """The business key of the nth re-optimisation that changed an order."""
    return f"reoptimised:{number}"


_DECIDED = text("""
INSERT INTO sourcing_decisions (order_id, attempt, business_key, policy_version, cause, first_fulfilment, document,
                                snapshot, network, decided_at)
VALUES (:order_id, (SELECT coalesce(max(attempt), 0) + 1 FROM sourcing_decisions WHERE order_id = :order_id),
        :business_key, :policy_version, :cause, :first_fulfilment,
        jsonb_build_object('demand', CAST(:demand AS jsonb), 'decision', CAST(:decision AS jsonb)),
        CAST(:snapshot AS jsonb), :network, :decided_at)
""")


async def record(
    connection: AsyncConnection,
    planned: Planned,
    *,
    business_key: str,
    cause: str,
    first_fulfilment: int,
) -> None:
    """Keep a decision with what was asked and what the planner saw, as the order's next one.

    Its fulfilments are numbered from `first_fulfilment` on. The order must be locked, or new in this transaction.
    """
    decision = planned.decision
    await versions.keep(connection, planned.network)
    await connection.execute(
        _DECIDED,
        {
            "order_id": decision.order_id,
            "business_key": business_key,
            "policy_version": decision.policy_version,
            "cause": cause,
            "first_fulfilment": first_fulfilment,
            "demand": planned.demand.model_dump_json(),
            "decision": decision.model_dump_json(),
            "snapshot": None if decision.outcome is Outcome.HELD else _packed(planned),
            "network": planned.network.digest,
            "decided_at": decision.decided_at,
        },
    )


def _packed(planned: Planned) -> str:
    """What the planner saw; of a decision that no planner made there is nothing to keep."""
    skus = {line.sku for line in planned.demand.lines}
    return json.dumps(pack(planned.snapshot, skus, planned.demand.as_of))


async def decision(connection: AsyncConnection, order_id: str, number: int) -> tuple[SourcingDecision, int] | None:
    """The decision of an order's nth sourcing, and the number of its first fulfilment; None if it was not made yet."""
    row = (
        await connection.execute(
            text("""
            SELECT document->'decision' AS decision, first_fulfilment FROM sourcing_decisions
            WHERE order_id = :order_id AND business_key = :business_key
            """),
            {"order_id": order_id, "business_key": sourced_key(number)},
        )
    ).one_or_none()
    if row is None:
        return None
    return SourcingDecision.model_validate(row.decision), row.first_fulfilment
