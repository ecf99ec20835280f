"""Published versions of each channel's mapping. The newest is live; none ever changes, which the database sees to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.mapping.document import Mapping
from dom.shared.errors import NotFound

_COLUMNS: Final = "channel, version, document, source, comment, published_by, published_at"


@dataclass(frozen=True, slots=True)
class PublishedMapping:
    """A version: the mapping, the text it was written in, who published it, when and why."""

    channel: str
    version: int
    mapping: Mapping
    source: str
    comment: str
    published_by: str
    published_at: datetime


_LOCK: Final = text("SELECT id FROM channels WHERE id = :channel FOR UPDATE")
_PUBLISH: Final = text("""
INSERT INTO channel_mappings (channel, version, document, source, comment, published_by)
SELECT :channel, coalesce(max(version), 0) + 1, CAST(:document AS jsonb), :source, :comment, :by
FROM channel_mappings WHERE channel = :channel RETURNING version
""")
_LIVE: Final = text(f"SELECT {_COLUMNS} FROM channel_mappings WHERE channel = :channel ORDER BY version DESC LIMIT 1")
_GET: Final = text(f"SELECT {_COLUMNS} FROM channel_mappings WHERE channel = :channel AND version = :version")
_ALL: Final = text("""
SELECT channel, version, document->>'name' AS name, comment, published_by, published_at FROM channel_mappings
WHERE channel = :channel AND (CAST(:before AS integer) IS NULL OR version < :before) ORDER BY version DESC LIMIT :limit
""")


async def live(connection: AsyncConnection, channel: str) -> PublishedMapping | None:
    """The version by which the channel's messages are read; None if it has none."""
    row = (await connection.execute(_LIVE, {"channel": channel})).mappings().one_or_none()
    return None if row is None else _published(row)


async def get(connection: AsyncConnection, channel: str, version: int) -> PublishedMapping:
    """A version. Raises NotFound."""
    row = (await connection.execute(_GET, {"channel": channel, "version": version})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"{channel} has no version {version} of its mapping")
    return _published(row)


async def one_at_a_time(connection: AsyncConnection, channel: str) -> None:
    """Wait until nobody else publishes a mapping of the channel; nobody else will until the transaction ends."""
    await connection.execute(_LOCK, {"channel": channel})


async def publish(
    connection: AsyncConnection, channel: str, mapping: Mapping, *, source: str, comment: str, by: str
) -> int:
    """Publish a mapping as the channel's next version; it reads the next message. Answers the version."""
    await one_at_a_time(connection, channel)
    values = {"channel": channel, "document": mapping.model_dump_json(), "source": source, "comment": comment, "by": by}
    return int(await connection.scalar(_PUBLISH, values) or 0)


async def versions(connection: AsyncConnection, channel: str, before: int | None, limit: int) -> Sequence[RowMapping]:
    """The channel's published versions without their documents, newest first."""
    asked = {"channel": channel, "before": before, "limit": limit}
    return (await connection.execute(_ALL, asked)).mappings().all()


def _published(row: RowMapping) -> PublishedMapping:
    fields = {name: row[name] for name in ("channel", "version", "source", "comment", "published_by", "published_at")}
    return PublishedMapping(mapping=Mapping.model_validate(row["document"]), **fields)
