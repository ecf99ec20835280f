"""API keys: only a hash of the secret is kept."""

from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import Limits, Principal, Role, Scope, principal

_FIND: Final = text("SELECT *, now() AS now FROM api_keys WHERE id = :id")


async def find(connection: AsyncConnection, key_id: str) -> RowMapping | None:
    """The key with its `hash`, and the database's time as `now`; None for one that never was."""
    return (await connection.execute(_FIND, {"id": key_id})).mappings().one_or_none()


def caller_of(row: RowMapping) -> Principal:
    """Who calls with this key. A scope that this program does not know any more gives nothing. Raises ValueError for a
    role that it does not know, which the table does not let in.
    """
    scopes = row["scopes"]
    known = {each.value for each in Scope}
    return principal(
        row["subject"],
        (Role(row["role"]),),
        Limits.of(row["channels"], row["nodes"], row["carriers"]),
        None if scopes is None else frozenset(Scope(each) for each in scopes if each in known),
        row["id"],
    )
