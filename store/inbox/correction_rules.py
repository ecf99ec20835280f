"""Rules of channels that people made of repairs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.correcting.learned import LearnedRule
from dom.channels.correction_rules import RuleRehearsal, RuleStatus
from dom.shared.errors import NotFound
from store.database.parameters import to_json

_COLUMNS: Final = """id, channel, field, before, after, status, message_id, comment, rehearsal, rehearsed_at,
    created_by, created_at, changed_by, changed_at"""
_LIVE: Final = text("""
SELECT id, field, before, after FROM channel_correction_rules
WHERE channel = :channel AND before = ANY(:values) AND status = 'live' ORDER BY id
""")
_MAKE: Final = text(f"""
INSERT INTO channel_correction_rules (channel, field, before, after, message_id, comment, created_by, changed_by)
VALUES (:channel, :field, :before, CAST(:after AS jsonb), :message, :comment, :by, :by) RETURNING {_COLUMNS}
""")
_LOCK: Final = text(f"""
SELECT {_COLUMNS} FROM channel_correction_rules WHERE channel = :channel AND id = :id FOR NO KEY UPDATE
""")
_SET: Final = text(f"""
UPDATE channel_correction_rules SET status = :status, changed_by = :by, changed_at = now() WHERE id = :id
RETURNING {_COLUMNS}
""")
_REHEARSED: Final = text(f"""
UPDATE channel_correction_rules SET status = CASE WHEN status = 'draft' THEN 'rehearsed' ELSE status END,
    rehearsal = CAST(:rehearsal AS jsonb), rehearsed_at = :at, changed_by = :by, changed_at = now()
WHERE id = :id RETURNING {_COLUMNS}
""")
_SAME: Final = text("""
SELECT id FROM channel_correction_rules
WHERE channel = :channel AND field = :field AND before = :before AND status = 'live' AND id <> :id
""")
_LIST: Final = text(f"""
SELECT {_COLUMNS} FROM channel_correction_rules
WHERE channel = :channel AND (CAST(:status AS text) IS NULL OR status = :status)
  AND (CAST(:before_id AS bigint) IS NULL OR id < :before_id)
ORDER BY id DESC LIMIT :limit
""")
_CAME: Final = text("""
SELECT m.id, coalesce(m.fetched, m.body) AS body, m.outcome, m.repairs, o.document AS known FROM channel_messages m
LEFT JOIN channel_orders o
    ON o.channel = m.channel AND o.number = m.order_number AND m.outcome IN ('captured', 'changed')
WHERE m.channel = :channel AND m.received_at >= :since AND (CAST(:below AS bigint) IS NULL OR m.id < :below)
ORDER BY m.id DESC LIMIT :most
""")


async def live(connection: AsyncConnection, channel: str, values: Collection[str]) -> tuple[LearnedRule, ...]:
    """The rules of the channel that act, and are about one of these values."""
    found = await connection.execute(_LIVE, {"channel": channel, "values": list(values)})
    return tuple([LearnedRule(row.id, row.field, row.before, row.after) for row in found])


async def make(
    connection: AsyncConnection,
    channel: str,
    *,
    field: str,
    before: str,
    after: Any,
    message_id: int | None,
    comment: str,
    by: str,
) -> RowMapping:
    """A rule that does not act yet."""
    values = {"channel": channel, "field": field, "before": before, "after": to_json(after), "message": message_id}
    return (await connection.execute(_MAKE, {**values, "comment": comment, "by": by})).mappings().one()


async def locked(connection: AsyncConnection, channel: str, rule_id: int) -> RowMapping:
    """A rule of the channel; nobody else changes it until the transaction ends. Raises NotFound."""
    row = (await connection.execute(_LOCK, {"channel": channel, "id": rule_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"{channel} has no correction rule {rule_id}")
    return row


async def put_status(connection: AsyncConnection, rule_id: int, status: RuleStatus, by: str) -> RowMapping:
    """Where the rule stands from now on."""
    return (await connection.execute(_SET, {"id": rule_id, "status": status, "by": by})).mappings().one()


async def put_rehearsal(
    connection: AsyncConnection, rule_id: int, rehearsal: RuleRehearsal, by: str, at: datetime
) -> RowMapping:
    """What rehearsing it told. A draft can be published then."""
    values = {"id": rule_id, "rehearsal": rehearsal.model_dump_json(), "by": by, "at": at}
    return (await connection.execute(_REHEARSED, values)).mappings().one()


async def same_live(connection: AsyncConnection, rule: RowMapping) -> int | None:
    """Another live rule about the same value of the same field; None if there is none."""
    asked = {name: rule[name] for name in ("channel", "field", "before", "id")}
    found = await connection.scalar(_SAME, asked)
    return None if found is None else int(found)


async def find(
    connection: AsyncConnection, channel: str, status: RuleStatus | None, before_id: int | None, limit: int
) -> Sequence[RowMapping]:
    """Rules of a channel, the newest first."""
    asked = {"channel": channel, "status": status, "before_id": before_id, "limit": limit}
    return (await connection.execute(_LIST, asked)).mappings().all()


async def came(
    connection: AsyncConnection, channel: str, since: datetime, below: int | None, most: int
) -> Sequence[RowMapping]:
    """Messages of a channel with their bodies, the newest first, and what is known of the order of each that became
    one.
    """
    asked = {"channel": channel, "since": since, "below": below, "most": most}
    return (await connection.execute(_CAME, asked)).mappings().all()
