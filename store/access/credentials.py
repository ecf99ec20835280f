"""Issued credentials: API keys, and secrets that carriers sign their messages with. What is the same of both: they are
found, listed, end, and it is written down when each was used last.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, Table, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.tables import access as tables

USED_EVERY_SECONDS: Final = 60
"""How often the last use of a credential is written down, at most."""


class CredentialTable:
    """The rows of one table of credentials. What it answers is without the concealed column."""

    def __init__(self, table: Table, *, concealed: str) -> None:
        self.table: Final = table
        self._shown = [column for column in table.c if column.name != concealed]

    async def insert(self, connection: AsyncConnection, values: Mapping[str, Any]) -> RowMapping:
        """Write a credential down."""
        added = insert(self.table).values(**values).returning(*self._shown)
        return (await connection.execute(added)).mappings().one()

    async def find(self, connection: AsyncConnection, credential_id: str, *, lock: bool = False) -> RowMapping | None:
        """What is known of it, and the database's time as `now`; None for one that never was. With `lock` nobody else
        changes it until the transaction ends.
        """
        wanted = select(*self._shown, func.now().label("now")).where(self.table.c.id == credential_id)
        return (await connection.execute(wanted.with_for_update() if lock else wanted)).mappings().one_or_none()

    async def page(
        self, connection: AsyncConnection, before: tuple[datetime, str] | None, limit: int, **wanted: str | None
    ) -> Sequence[RowMapping]:
        """The newest first, also those that have ended. `wanted`: values of columns; None is any value."""
        place = tuple_(self.table.c.created_at, self.table.c.id)
        conditions = [self.table.c[name] == value for name, value in wanted.items() if value is not None]
        if before is not None:
            conditions.append(place < before)
        newest = (self.table.c.created_at.desc(), self.table.c.id.desc())
        found = select(*self._shown).where(*conditions).order_by(*newest).limit(limit)
        return (await connection.execute(found)).mappings().all()

    async def revoke(self, connection: AsyncConnection, credential_id: str, by: str) -> None:
        """End it now; one that was revoked before stays as it is."""
        live = update(self.table).where(self.table.c.id == credential_id, self.table.c.revoked_at.is_(None))
        await connection.execute(live.values(revoked_at=func.now(), revoked_by=by))

    async def expire_in(self, connection: AsyncConnection, credential_id: str, seconds: float) -> None:
        """End it after so many seconds, unless it ends sooner."""
        at = func.least(self.table.c.expires_at, func.now() + timedelta(seconds=seconds))
        await connection.execute(update(self.table).where(self.table.c.id == credential_id).values(expires_at=at))

    async def successor(self, connection: AsyncConnection, credential_id: str) -> str | None:
        """The id of the one that was made in place of it; None if it was not rotated."""
        made = select(self.table.c.id).where(self.table.c.rotated_from == credential_id)
        found: str | None = await connection.scalar(made.order_by(self.table.c.created_at).limit(1))
        return found

    async def used(self, connection: AsyncConnection, credential_id: str) -> None:
        """Write down that it was used, once a minute at most."""
        last = self.table.c.last_used_at
        late = or_(last.is_(None), last < func.now() - timedelta(seconds=USED_EVERY_SECONDS))
        noted = update(self.table).where(self.table.c.id == credential_id, late)
        await connection.execute(noted.values(last_used_at=func.now()))


API_KEYS: Final = CredentialTable(tables.api_keys, concealed="hash")
SIGNING_SECRETS: Final = CredentialTable(tables.signing_secrets, concealed="secret")
