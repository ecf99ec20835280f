"""An order's decisions with all that is needed to explain them: what was asked, decided and seen, and the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.sourcing.explanation.record import Record
from dom.sourcing.models import Demand, SourcingDecision
from dom.sourcing.planning.snapshot_codec import unpack
from dom.sourcing.policy.document import Policy
from store.sourcing.decision_log import Networks


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it is on record. `seen` is the snapshot in its kept form; None where none was kept.

    `names` are what the nodes were called then, by id, where that is known. `record.snapshot` is there if asked for.
    """

    attempt: int
    cause: str
    policy_version: int
    first_fulfilment: int
    decided_at: datetime
    network: str | None
    seen: dict[str, Any] | None
    names: dict[str, str]
    record: Record


_KEPT = text("""
SELECT d.attempt, d.cause, d.policy_version, d.first_fulfilment, d.decided_at, d.document, d.snapshot, d.network,
       p.document AS policy,
       (SELECT jsonb_object_agg(n->>'id', n->>'name') FROM jsonb_array_elements(w.document->'nodes') n) AS names
FROM sourcing_decisions d JOIN policies p ON p.version = d.policy_version LEFT JOIN networks w ON w.digest = d.network
WHERE d.order_id = :order_id AND (CAST(:attempt AS int) IS NULL OR d.attempt = :attempt) ORDER BY d.attempt
""")


async def kept(
    connection: AsyncConnection, order_id: str, *, attempt: int | None = None, snapshots: bool = False
) -> Sequence[Kept]:
    """The decisions made for an order, or one of them, in sequence; with `snapshots` they can be made again."""
    rows = (await connection.execute(_KEPT, {"order_id": order_id, "attempt": attempt})).all()
    policies = {row.policy_version: Policy.model_validate(row.policy) for row in rows}
    networks, found = Networks(), []
    for row in rows:
        snapshot = None
        if snapshots and row.snapshot is not None and row.network is not None:
            snapshot = unpack(row.snapshot, *await networks.at(connection, row.network))
        found.append(
            Kept(
                attempt=row.attempt,
                cause=row.cause,
                policy_version=row.policy_version,
                first_fulfilment=row.first_fulfilment,
                decided_at=row.decided_at,
                network=row.network,
                seen=row.snapshot,
                names=row.names or {},
                record=Record(
                    demand=Demand.model_validate(row.document["demand"]),
                    decision=SourcingDecision.model_validate(row.document["decision"]),
                    policy=policies[row.policy_version],
                    snapshot=snapshot,
                ),
            )
        )
    return found
