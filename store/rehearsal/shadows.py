"""Shadows: drafts of the policy that decide beside the live one, on what it saw, without any effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import Conflict, NotFound
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Recorded
from dom.sourcing.rehearsal.shadowing import Compared
from store.database.parameters import to_rows
from store.sourcing.decision_log import Networks, recorded

UNDER_WAY: Final = timedelta(minutes=2)
"""How long a decision may be under way before it can be read: one that takes longer is not looked at."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow and what it came to so far.

    `cost` and `live_cost` are sums in minor units, each in its currency, and `unfilled` and `live_unfilled` of units:
    all of them over the decisions the shadow made. Of `decisions` it could not make `undecided`.
    """

    id: int
    name: str
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    currency: str
    live_currency: str
    decisions: int
    undecided: int
    differs: int
    cost: int
    live_cost: int
    unfilled: int
    live_unfilled: int


@dataclass(frozen=True, slots=True)
class Following:
    """A shadow that runs, and what it decides by."""

    id: int
    policy: Policy
    seen_until: datetime


async def start(connection: AsyncConnection, name: str, policy: Policy, by: str) -> None:
    """Let the draft decide beside the live policy from now on. Raises Conflict if a shadow of that name runs."""
    try:
        async with connection.begin_nested():
            await connection.execute(
                text("INSERT INTO shadows (name, policy, started_by) VALUES (:name, CAST(:policy AS jsonb), :by)"),
                {"name": name, "policy": policy.model_dump_json(), "by": by},
            )
    except IntegrityError as error:
        raise Conflict(f"a shadow {name} runs already; stop it first", field="name") from error


async def stop(connection: AsyncConnection, name: str, by: str) -> None:
    """End the shadow of that name; what it decided is kept. Raises NotFound if none runs."""
    ended = await connection.execute(
        text("UPDATE shadows SET ended_at = now(), ended_by = :by WHERE name = :name AND ended_at IS NULL"),
        {"name": name, "by": by},
    )
    if not ended.rowcount:
        raise NotFound(f"no shadow {name} runs")


_MADE: Final = "coalesce(sum((d.document->>'{}')::bigint) FILTER (WHERE d.document->>'problem' = ''), 0)::bigint"
_FOUND: Final = f"""
SELECT s.id, s.name, s.started_by, s.started_at, s.ended_by, s.ended_at, s.policy->>'currency' AS currency,
       coalesce(max(nullif(d.document->>'live_currency', '')), s.policy->>'currency') AS live_currency,
       count(d.order_id) AS decisions, count(*) FILTER (WHERE d.differs) AS differs,
       count(*) FILTER (WHERE d.document->>'problem' <> '') AS undecided,
       {_MADE.format("cost")} AS cost, {_MADE.format("live_cost")} AS live_cost,
       {_MADE.format("unfilled")} AS unfilled, {_MADE.format("live_unfilled")} AS live_unfilled
FROM shadows s LEFT JOIN shadow_decisions d ON d.shadow = s.id
"""


async def get(connection: AsyncConnection, name: str) -> Shadow:
    """The shadow of that name that was started last. Raises NotFound."""
    query = text(f"{_FOUND} WHERE s.name = :name GROUP BY s.id ORDER BY s.id DESC LIMIT 1")
    row = (await connection.execute(query, {"name": name})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no shadow {name}")
    return Shadow(**row)


async def everyone(connection: AsyncConnection, limit: int = 200) -> list[Shadow]:
    """Shadows, the newest first."""
    rows = await connection.execute(text(f"{_FOUND} GROUP BY s.id ORDER BY s.id DESC LIMIT :limit"), {"limit": limit})
    return [Shadow(**row) for row in rows.mappings()]


async def differing(connection: AsyncConnection, shadow: int, limit: int) -> Sequence[RowMapping]:
    """Decisions the shadow would have made otherwise, the newest first."""
    rows = await connection.execute(
        text("""
        SELECT order_id, attempt, decided_at, document FROM shadow_decisions WHERE shadow = :shadow AND differs
        ORDER BY recorded_at DESC, order_id, attempt LIMIT :limit
        """),
        {"shadow": shadow, "limit": limit},
    )
    return rows.mappings().all()


async def following(reads: AsyncEngine) -> list[Following]:
    """The shadows that run, in one statement."""
    async with reads.connect() as connection:
        rows = await connection.execute(
            text("SELECT id, policy, seen_until FROM shadows WHERE ended_at IS NULL ORDER BY id")
        )
        return [Following(each.id, Policy.model_validate(each.policy), each.seen_until) for each in rows]


# What was under way at the last look may stand before what was read then: those are told by what was written for them.
_NEW = text("""
SELECT d.order_id, d.attempt, d.cause, d.policy_version, d.first_fulfilment, d.recorded_at, d.document, d.snapshot,
       d.network
FROM sourcing_decisions d JOIN shadows s ON s.id = :shadow
WHERE d.recorded_at >= greatest(s.started_at, CAST(:after AS timestamptz)) AND d.snapshot IS NOT NULL
AND NOT EXISTS (
    SELECT FROM shadow_decisions x WHERE x.shadow = s.id AND x.order_id = d.order_id AND x.attempt = d.attempt)
ORDER BY d.recorded_at, d.order_id, d.attempt LIMIT :limit
""")


async def news(engine: AsyncEngine, shadow: Following, networks: Networks, limit: int) -> list[Recorded]:
    """Live decisions the shadow has not made yet, the oldest first."""
    parameters = {"shadow": shadow.id, "after": shadow.seen_until - UNDER_WAY, "limit": limit}
    async with engine.connect() as connection:
        rows = (await connection.execute(_NEW, parameters)).mappings().all()
        return [await recorded(connection, networks, row) for row in rows]


_KEEP = text("""
INSERT INTO shadow_decisions (shadow, order_id, attempt, differs, document, decided_at)
SELECT s.id, v.order_id, v.attempt, v.differs, v.document, v.decided_at
FROM shadows s, jsonb_to_recordset(CAST(:rows AS jsonb))
    AS v (order_id text, attempt int, differs boolean, document jsonb, decided_at timestamptz)
WHERE s.id = :shadow AND s.ended_at IS NULL ON CONFLICT DO NOTHING
""")
_SEEN = text("UPDATE shadows SET seen_until = greatest(seen_until, :until) WHERE id = :shadow")


async def keep(engine: AsyncEngine, shadow: Following, found: Sequence[tuple[Recorded, Compared]]) -> None:
    """Write down what the shadow decided; nothing, if it was stopped meanwhile."""
    rows: list[dict[str, Any]] = [
        {
            "order_id": made.order_id,
            "attempt": made.attempt,
            "differs": compared.differs,
            "document": compared.model_dump(mode="json"),
            "decided_at": made.decision.decided_at,
        }
        for made, compared in found
    ]
    async with engine.begin() as connection:
        await connection.execute(_KEEP, {"shadow": shadow.id, "rows": to_rows(rows)})
        until = max(made.recorded_at for made, _ in found)
        await connection.execute(_SEEN, {"shadow": shadow.id, "until": until})
