"""Versions of the hold policy. The newest is live; none ever changes."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.holds.policy import DEFAULT, HoldPolicy
from store.database.reference_version import bump

NOT_WRITTEN: Final = 0
"""The version of the policy that stands until one is written."""
_LIVE: Final = text("SELECT version, document FROM hold_policies ORDER BY version DESC LIMIT 1")


async def live(connection: AsyncConnection) -> tuple[int, HoldPolicy]:
    """The policy that counts, with its version."""
    row = (await connection.execute(_LIVE)).one_or_none()
    return (NOT_WRITTEN, DEFAULT) if row is None else (row.version, HoldPolicy.model_validate(row.document))


async def get(connection: AsyncConnection, version: int) -> HoldPolicy | None:
    """The policy of a version, or None."""
    if version == NOT_WRITTEN:
        return DEFAULT
    query = text("SELECT document FROM hold_policies WHERE version = :version")
    document = await connection.scalar(query, {"version": version})
    return None if document is None else HoldPolicy.model_validate(document)


async def write(connection: AsyncConnection, policy: HoldPolicy, version: int, *, by: str, comment: str) -> None:
    """Write a policy as that version; it counts from the next order on. An error if the version stands already."""
    await connection.execute(
        text("""
        INSERT INTO hold_policies (version, document, comment, written_by)
        VALUES (:version, CAST(:document AS jsonb), :comment, :by)
        """),
        {"version": version, "document": policy.model_dump_json(exclude_none=True), "comment": comment, "by": by},
    )
    await bump(connection)


async def versions(connection: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """Who wrote which version, when and why, newest first."""
    query = text(
        "SELECT version, comment, written_by, written_at FROM hold_policies ORDER BY version DESC LIMIT :limit"
    )
    return (await connection.execute(query, {"limit": limit})).mappings().all()


async def one_at_a_time(connection: AsyncConnection) -> None:
    """Wait until nobody else writes one; nobody else will until the transaction ends."""
    await connection.execute(text("LOCK TABLE hold_policies IN SHARE ROW EXCLUSIVE MODE"))
