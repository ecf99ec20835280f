"""How the database stands to this program: whether it can be served from."""

from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database import migrate


class DatabaseState(StrEnum):
    """What a database can be used for by this program."""

    FIT = "fit"
    OLDER = "older"
    READ_ONLY = "read_only"


_OLDER: Final = frozenset({migrate.Schema.MISSING, migrate.Schema.BEHIND})


async def probe(connection: AsyncConnection) -> DatabaseState:
    """How the database stands; raises what it raises if it, or its schema, is not there."""
    row = await connection.execute(
        text("""
        SELECT current_setting('transaction_read_only') = 'on' AS read_only,
               (SELECT version_num FROM alembic_version LIMIT 1) AS revision
        FROM (SELECT version FROM reference_state LIMIT 1) AS there
        """)
    )
    found = row.one_or_none()
    if found is None or migrate.state_of(found.revision) in _OLDER:
        return DatabaseState.OLDER
    return DatabaseState.READ_ONLY if found.read_only else DatabaseState.FIT
