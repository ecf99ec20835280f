"""API keys: only a hash of the secret is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import Limits, Principal, Role, Scope, principal

USED_EVERY_SECONDS: Final = 60
"""How often the last use of a key is written down, at most."""

_SHOWN: Final = """
id, role, subject, channels, nodes, carriers, scopes, created_by, created_at, expires_at, revoked_by, revoked_at,
last_used_at, rotated_from
"""
_FIND = text(f"SELECT {_SHOWN}, hash, now() AS now FROM api_keys WHERE id = :id")
_LOCK = text(f"SELECT {_SHOWN}, now() AS now FROM api_keys WHERE id = :id FOR UPDATE")
_LIST = text(f"""
SELECT {_SHOWN} FROM api_keys
WHERE CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (:at, :id)
ORDER BY created_at DESC, id DESC LIMIT :limit
""")
_INSERT = text(f"""
INSERT INTO api_keys (id, hash, role, subject, channels, nodes, carriers, scopes, created_by, expires_at, rotated_from)
VALUES (:id, :hash, :role, :subject, :channels, :nodes, :carriers, :scopes, :created_by, :expires_at, :rotated_from)
RETURNING {_SHOWN}
""")
_REVOKE = text("UPDATE api_keys SET revoked_at = now(), revoked_by = :by WHERE id = :id AND revoked_at IS NULL")
_EXPIRE = text("""
UPDATE api_keys SET expires_at = LEAST(expires_at, now() + make_interval(secs => :seconds)) WHERE id = :id
""")
_SUCCESSOR = text("SELECT id FROM api_keys WHERE rotated_from = :id ORDER BY created_at LIMIT 1")
_USED = text("""
UPDATE api_keys SET last_used_at = now()
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => :seconds))
""")


async def insert(
    connection: AsyncConnection,
    caller: Principal,
    role: Role,
    *,
    hash_: bytes,
    scopes: frozenset[Scope] | None,
    created_by: str,
    expires_at: datetime | None,
    rotated_from: str | None = None,
) -> RowMapping:
    """Write a key down; the id is the caller's `key_id`."""
    found = await connection.execute(
        _INSERT,
        {
            "id": caller.key_id,
            "hash": hash_,
            "role": role,
            "subject": caller.name,
            **_lists(caller.limits),
            "scopes": None if scopes is None else sorted(scopes),
            "created_by": created_by,
            "expires_at": expires_at,
            "rotated_from": rotated_from,
        },
    )
    return found.mappings().one()


async def find(connection: AsyncConnection, key_id: str) -> RowMapping | None:
    """The key with its `hash`, and the database's time as `now`; None for one that never was."""
    return (await connection.execute(_FIND, {"id": key_id})).mappings().one_or_none()


async def lock(connection: AsyncConnection, key_id: str) -> RowMapping | None:
    """The key without its hash; nobody else changes it until the transaction ends."""
    return (await connection.execute(_LOCK, {"id": key_id})).mappings().one_or_none()


async def page(connection: AsyncConnection, before: tuple[datetime, str] | None, limit: int) -> Sequence[RowMapping]:
    """Keys, the newest first, also those that have ended."""
    at, key_id = before or (None, None)
    return (await connection.execute(_LIST, {"at": at, "id": key_id, "limit": limit})).mappings().all()


async def revoke(connection: AsyncConnection, key_id: str, by: str) -> None:
    """End a key now; one that was revoked before stays as it is."""
    await connection.execute(_REVOKE, {"id": key_id, "by": by})


async def expire_in(connection: AsyncConnection, key_id: str, seconds: float) -> None:
    """End a key after so many seconds, unless it ends sooner."""
    await connection.execute(_EXPIRE, {"id": key_id, "seconds": seconds})


async def successor(connection: AsyncConnection, key_id: str) -> str | None:
    """The id of the key that was made in place of it; None if it was not rotated."""
    found: str | None = await connection.scalar(_SUCCESSOR, {"id": key_id})
    return found


async def used(connection: AsyncConnection, key_id: str) -> None:
    """Write down that a key was used, once a minute at most."""
    await connection.execute(_USED, {"id": key_id, "seconds": USED_EVERY_SECONDS})


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


def _lists(limits: Limits) -> dict[str, Any]:
    return {name: None if values is None else sorted(values) for name, values in limits.by_name().items()}
