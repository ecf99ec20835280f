"""Secrets that carriers sign their messages with, as they are: whoever checks a signature needs the secret itself."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_OF_CARRIER: Final = text("""
SELECT id, secret, expires_at IS NULL OR expires_at > now() AS live FROM signing_secrets
WHERE carrier = :carrier AND revoked_at IS NULL ORDER BY created_at DESC, id
""")


async def of_carrier(connection: AsyncConnection, carrier: str) -> Sequence[RowMapping]:
    """Id, secret, and whether it is `live`, of all that were not revoked."""
    return (await connection.execute(_OF_CARRIER, {"carrier": carrier})).mappings().all()
