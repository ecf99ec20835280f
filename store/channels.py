"""Channels and their rules. A change of either is a change of what may be promised, and is announced as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.channels import channel as channels
from dom.channels.channel import Channel, ChannelRule
from dom.shared.errors import InvalidInput, NotFound, UnknownChannel
from store.database.parameters import to_rows
from store.database.reference_version import bump
from store.ledger import cursors
from store.ledger.announcements import Affected, announce


async def get(connection: AsyncConnection, channel_id: str) -> Channel:
    """The channel. Raises NotFound."""
    document = await connection.scalar(text("SELECT document FROM channels WHERE id = :id"), {"id": channel_id})
    if document is None:
        raise NotFound(f"there is no channel {channel_id}")
    return Channel.model_validate(document)


async def known(connection: AsyncConnection, channel_id: str) -> Channel:
    """The channel, or what stands for one that nobody has described."""
    document = await connection.scalar(text("SELECT document FROM channels WHERE id = :id"), {"id": channel_id})
    return channels.unknown(channel_id) if document is None else Channel.model_validate(document)


class Registered:
    """Whether channels are registered. One that is stays so: it is looked up once a process."""

    def __init__(self, reads: AsyncEngine) -> None:
        self._reads = reads
        self._seen: set[str] = set()

    async def check(self, channel_id: str | None) -> None:
        """Raises UnknownChannel for a channel that nobody has registered; none at all is none that is wrong."""
        if channel_id is None or channel_id in self._seen:
            return
        async with self._reads.connect() as connection:
            known = await connection.scalar(text("SELECT true FROM channels WHERE id = :id"), {"id": channel_id})
        if not known:
            raise UnknownChannel(f"there is no channel {channel_id}", field="channel")
        self._seen.add(channel_id)


async def everyone(connection: AsyncConnection) -> list[Channel]:
    """Every channel that was described, those served first first."""
    rows = await connection.execute(text("SELECT document FROM channels ORDER BY priority, id"))
    return [Channel.model_validate(document) for (document,) in rows]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a channel is told, and what that is signed with."""

    url: str
    secret: str


_WEBHOOK = text("""
SELECT document->>'webhook_url' AS url, webhook_secret AS secret FROM channels
WHERE id = :id AND document->>'webhook_url' IS NOT NULL
""")


async def webhook(connection: AsyncConnection, channel_id: str) -> Webhook | None:
    """The channel's webhook; None if it has none."""
    row = (await connection.execute(_WEBHOOK, {"id": channel_id})).one_or_none()
    return None if row is None else Webhook(row.url, row.secret)


_AHEAD: Final = 4
"""Messages to a channel that are written before it took the first of them, at most."""
# A cursor beyond the log stands there because the database is a copy: see `cursors.ensure`.
_TO_TELL = text("""
SELECT c.document FROM channels c LEFT JOIN feed_cursors f ON f.name = 'webhook/' || c.id
CROSS JOIN (SELECT transaction, id FROM stock_ledger ORDER BY transaction DESC, id DESC LIMIT 1) last
WHERE (c.document->>'webhook_url' IS NOT NULL
       OR EXISTS (SELECT FROM channel_connections n WHERE n.channel = c.id AND n.stock AND n.paused_at IS NULL))
  AND (f.name IS NULL OR (f.transaction, f.entry) < (last.transaction, last.id)
       OR f.transaction > pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
  AND coalesce((SELECT count(*) < :ahead AND bool_and(o.error = '') FROM outbox o
                WHERE o.receiver = 'availability/' || c.id AND o.status IN ('pending', 'sending')), true)
ORDER BY c.priority, c.id
""")


async def to_tell(connection: AsyncConnection) -> list[Channel]:
    """Channels with a webhook, or whose platform shows stock, for which not every change is written yet, and that take
    what they are sent.
    """
    rows = await connection.execute(_TO_TELL, {"ahead": _AHEAD})
    return [Channel.model_validate(document) for (document,) in rows]


_PUT = text("""
INSERT INTO channels (id, priority, document, webhook_secret)
VALUES (:id, :priority, CAST(:document AS jsonb), coalesce(CAST(:secret AS text), ''))
ON CONFLICT (id) DO UPDATE SET priority = EXCLUDED.priority, document = EXCLUDED.document, updated_at = now(),
    webhook_secret = coalesce(CAST(:secret AS text), channels.webhook_secret)
RETURNING xmax = 0 AS created, webhook_secret <> '' AS signs
""")


async def put(connection: AsyncConnection, channel: Channel, secret: str | None = None) -> bool:
    """Create or replace a channel; True if it is new. Without a secret the one it has stays.

    Raises InvalidInput for a webhook that could not be signed; the transaction must then end.
    """
    parameters = {
        "id": channel.id,
        "priority": channel.priority,
        "document": channel.model_dump_json(),
        "secret": secret,
    }
    row = (await connection.execute(_PUT, parameters)).one()
    if channel.webhook_url and not row.signs:
        raise InvalidInput("a webhook needs a secret to be signed with", field="webhook_secret")
    if channel.webhook_url:
        await cursors.ensure(connection, cursors.of_webhook(channel.id))
    await bump(connection)
    return bool(row.created)


_RULES = text("""
SELECT nullif(sku, '') AS sku, nullif(node_id, '') AS node_id, buffer, share, excluded FROM channel_rules
WHERE channel = :channel ORDER BY channel_rules.sku, channel_rules.node_id
""")


async def rules(connection: AsyncConnection, channel_id: str) -> list[ChannelRule]:
    """The channel's rules by SKU and node, those for all first."""
    rows = await connection.execute(_RULES, {"channel": channel_id})
    return [ChannelRule.model_validate(dict(row)) for row in rows.mappings()]


_REPLACE = text("""
WITH gone AS (
    DELETE FROM channel_rules WHERE channel = :channel AND (sku, node_id) NOT IN (
        SELECT sku, node_id FROM jsonb_to_recordset(CAST(:rules AS jsonb)) AS r (sku text, node_id text))
)
INSERT INTO channel_rules (channel, sku, node_id, buffer, share, excluded)
SELECT :channel, sku, node_id, buffer, share, excluded FROM jsonb_to_recordset(CAST(:rules AS jsonb))
    AS r (sku text, node_id text, buffer int, share int, excluded boolean)
ON CONFLICT (channel, sku, node_id) DO UPDATE
    SET buffer = EXCLUDED.buffer, share = EXCLUDED.share, excluded = EXCLUDED.excluded
""")


async def replace_rules(
    connection: AsyncConnection, channel_id: str, wanted: Sequence[ChannelRule]
) -> list[str | None]:
    """Make these the channel's rules; answers the nodes whose rules changed, came or went, with None for all nodes.

    Raises NotFound for an unknown channel, and InvalidInput with every rule that cannot be: one that stands twice, or
    names a SKU or node that is not known. Two who replace them at once do so one after the other.
    """
    query = text("SELECT true FROM channels WHERE id = :id FOR NO KEY UPDATE")
    if not await connection.scalar(query, {"id": channel_id}):
        raise NotFound(f"there is no channel {channel_id}")
    await _refuse_what_cannot_be(connection, wanted)
    changed = set(await rules(connection, channel_id)) ^ set(wanted)
    if not changed:
        return []
    rows = to_rows({**rule.model_dump(), "sku": rule.sku or "", "node_id": rule.node_id or ""} for rule in wanted)
    await connection.execute(_REPLACE, {"channel": channel_id, "rules": rows})
    await bump(connection)
    scopes = {Affected(rule.sku, rule.node_id) for rule in changed}
    await announce(connection, scopes, reason=f"rules of channel {channel_id}", actor=f"channel:{channel_id}")
    return sorted({rule.node_id for rule in changed}, key=str)


_UNKNOWN = text("""
SELECT r.position, r.sku <> '' AND NOT EXISTS (SELECT FROM skus WHERE id = r.sku) AS no_sku,
       r.node_id <> '' AND NOT EXISTS (SELECT FROM nodes WHERE id = r.node_id) AS no_node
FROM jsonb_to_recordset(CAST(:rules AS jsonb)) AS r (position int, sku text, node_id text)
""")


async def _refuse_what_cannot_be(connection: AsyncConnection, wanted: Sequence[ChannelRule]) -> None:
    rows = to_rows(
        {"position": position, "sku": rule.sku or "", "node_id": rule.node_id or ""}
        for position, rule in enumerate(wanted)
    )
    errors: list[dict[str, Any]] = []
    for row in await connection.execute(_UNKNOWN, {"rules": rows}):
        rule = wanted[row.position]
        if row.no_sku:
            errors.append(_wrong(row.position, ".sku", "unknown-sku", f"there is no SKU {rule.sku}"))
        if row.no_node:
            errors.append(_wrong(row.position, ".node_id", "unknown-node", f"there is no node {rule.node_id}"))
    seen: set[Affected] = set()
    for position, rule in enumerate(wanted):
        scope = Affected(rule.sku, rule.node_id)
        if scope in seen:
            errors.append(_wrong(position, "", "invalid-input", "another rule is for the same SKU and node"))
        seen.add(scope)
    if errors:
        errors.sort(key=lambda error: (error["index"], error["field"]))
        first = errors[0]
        count = "1 rule is" if len(errors) == 1 else f"{len(errors)} things are"
        raise InvalidInput(
            f"{count} wrong, the first: {first['detail']}", field=first["field"], data={"errors": errors}
        )


def _wrong(position: int, member: str, kind: str, detail: str) -> dict[str, Any]:
    return {"index": position, "field": f"rules[{position}]{member}", "type": f"/problems/{kind}", "detail": detail}
