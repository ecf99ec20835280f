"""Secrets that carriers sign their messages with, as they are: whoever checks a signature needs the secret itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.access.api_keys import USED_EVERY_SECONDS

_SHOWN: Final = """
id, carrier, created_by, created_at, expires_at, revoked_by, revoked_at, last_used_at, rotated_from
"""
_FIND = text(f"SELECT {_SHOWN}, now() AS now FROM signing_secrets WHERE id = :id")
_LOCK = text(f"SELECT {_SHOWN}, now() AS now FROM signing_secrets WHERE id = :id FOR UPDATE")
_LIST = text(f"""
SELECT {_SHOWN} FROM signing_secrets
WHERE (CAST(:carrier AS text) IS NULL OR carrier = :carrier)
  AND (CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (:at, :id))
ORDER BY created_at DESC, id DESC LIMIT :limit
""")
_INSERT = text(f"""
INSERT INTO signing_secrets (id, carrier, secret, created_by, expires_at, rotated_from)
VALUES (:id, :carrier, :secret, :created_by, :expires_at, :rotated_from)
RETURNING {_SHOWN}
""")
_REVOKE = text("""
UPDATE signing_secrets SET revoked_at = now(), revoked_by = :by WHERE id = :id AND revoked_at IS NULL
""")
_EXPIRE = text("""
UPDATE signing_secrets SET expires_at = LEAST(expires_at, now() + make_interval(secs => :seconds)) WHERE id = :id
""")
_USED = text("""
UPDATE signing_secrets SET last_used_at = now()
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => :seconds))
""")
_OF_CARRIER = text("""
SELECT id, secret, expires_at IS NULL OR expires_at > now() AS live FROM signing_secrets
WHERE carrier = :carrier AND revoked_at IS NULL ORDER BY created_at DESC, id
""")


async def insert(
    connection: AsyncConnection,
    secret_id: str,
    carrier: str,
    *,
    secret: str,
    created_by: str,
    expires_at: datetime | None,
    rotated_from: str | None = None,
) -> RowMapping:
    """Write a secret down; answers it without the secret itself, as all here but `of_carrier`."""
    values = {"id": secret_id, "carrier": carrier, "secret": secret, "created_by": created_by}
    found = await connection.execute(_INSERT, {**values, "expires_at": expires_at, "rotated_from": rotated_from})
    return found.mappings().one()


async def find(connection: AsyncConnection, secret_id: str) -> RowMapping | None:
    """What is known of it, and the database's time as `now`; None for one that never was."""
    return (await connection.execute(_FIND, {"id": secret_id})).mappings().one_or_none()


async def lock(connection: AsyncConnection, secret_id: str) -> RowMapping | None:
    """The same; nobody else changes it until the transaction ends."""
    return (await connection.execute(_LOCK, {"id": secret_id})).mappings().one_or_none()


async def page(
    connection: AsyncConnection, carrier: str | None, before: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Those of a carrier, or of all, the newest first, also those that have ended."""
    at, secret_id = before or (None, None)
    given = {"carrier": carrier, "at": at, "id": secret_id, "limit": limit}
    return (await connection.execute(_LIST, given)).mappings().all()


async def of_carrier(connection: AsyncConnection, carrier: str) -> Sequence[RowMapping]:
    """Id, secret, and whether it is `live`, of all that were not revoked."""
    return (await connection.execute(_OF_CARRIER, {"carrier": carrier})).mappings().all()


async def revoke(connection: AsyncConnection, secret_id: str, by: str) -> None:
    """End a secret now; one that was revoked before stays as it is."""
    await connection.execute(_REVOKE, {"id": secret_id, "by": by})


async def expire_in(connection: AsyncConnection, secret_id: str, seconds: float) -> None:
    """End a secret after so many seconds, unless it ends sooner."""
    await connection.execute(_EXPIRE, {"id": secret_id, "seconds": seconds})


async def used(connection: AsyncConnection, secret_id: str) -> None:
    """Write down that a secret was used, once a minute at most."""
    await connection.execute(_USED, {"id": secret_id, "seconds": USED_EVERY_SECONDS})
