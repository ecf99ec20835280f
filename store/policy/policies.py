"""Published versions of the OFL policy. The newest is live; none ever changes, which the database sees to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import NotFound
from dom.sourcing.policy.document import Policy
from store.database.reference_version import bump

_COLUMNS = "version, document, comment, source, restores, published_by, published_at"


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A version: the policy, the text it was written in (None if there was none), who published it, when and why.

    `restores` is the earlier version it brought back.
    """

    version: int
    policy: Policy
    source: str | None
    comment: str
    restores: int | None
    published_by: str
    published_at: datetime


async def publish_policy(
    connection: AsyncConnection,
    policy: Policy,
    published_by: str,
    *,
    comment: str = "",
    source: str | None = None,
    restores: int | None = None,
) -> int:
    """Publish a policy as the next version, unchecked; it acts on the next order. Answers the version.

    `services.policies.publish` looks for mistakes first.
    """
    await one_at_a_time(connection)
    version = await connection.scalar(
        text("""
        INSERT INTO policies (version, document, published_by, comment, source, restores)
        SELECT coalesce(max(version), 0) + 1, CAST(:document AS jsonb), :published_by, :comment, :source, :restores
        FROM policies
        RETURNING version
        """),
        {
            "document": policy.model_dump_json(),
            "published_by": published_by,
            "comment": comment,
            "source": source,
            "restores": restores,
        },
    )
    await bump(connection)
    return int(version or 0)


async def one_at_a_time(connection: AsyncConnection) -> None:
    """Wait until nobody else publishes; nobody else will until the transaction ends. Orders are not held up."""
    await connection.execute(text("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE"))


async def list_policies(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Published versions, newest first."""
    rows = await connection.execute(text(f"SELECT {_COLUMNS} FROM policies ORDER BY version DESC"))
    return rows.mappings().all()


async def newest(connection: AsyncConnection, limit: int, before: int | None = None) -> Sequence[RowMapping]:
    """Published versions without their documents, newest first; those below `before`."""
    rows = await connection.execute(
        text("""
        SELECT version, document->>'name' AS name, comment, restores, published_by, published_at,
               version = (SELECT max(version) FROM policies) AS live
        FROM policies WHERE CAST(:before AS integer) IS NULL OR version < :before ORDER BY version DESC LIMIT :limit
        """),
        {"before": before, "limit": limit},
    )
    return rows.mappings().all()


async def get(connection: AsyncConnection, version: int | None = None) -> PublishedPolicy:
    """A version; without a number the live one. Raises NotFound."""
    found = await find(connection, version)
    if found is None:
        raise NotFound(
            "no OFL policy is published; `dom seed` publishes the default one"
            if version is None
            else f"version {version} was never published"
        )
    return found


async def find(connection: AsyncConnection, version: int | None = None) -> PublishedPolicy | None:
    """A version, or the live one; None if it was never published."""
    where = "ORDER BY version DESC LIMIT 1" if version is None else "WHERE version = :version"
    rows = await connection.execute(
        text(f"SELECT {_COLUMNS} FROM policies {where}"), {} if version is None else {"version": version}
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _published(row)


def _published(row: RowMapping) -> PublishedPolicy:
    return PublishedPolicy(
        version=row["version"],
        policy=Policy.model_validate(row["document"]),
        source=row["source"],
        comment=row["comment"],
        restores=row["restores"],
        published_by=row["published_by"],
        published_at=row["published_at"],
    )
