"""Drafts of the policy, by name: what somebody works on. They decide nothing until they are published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import Conflict, NotFound
from dom.sourcing.policy.document import Policy
from store.policy import policies

_COLUMNS = """
name, revision, based_on, document, source, comment, created_by, created_at, updated_by, updated_at
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: the policy, its text as it was written, and the published version it was begun from.

    `revision` counts how often it was written, so that nobody writes over what he has not seen.
    """

    name: str
    revision: int
    based_on: int
    policy: Policy
    source: str
    comment: str
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime


async def put(
    connection: AsyncConnection,
    name: str,
    policy: Policy,
    source: str,
    by: str,
    *,
    comment: str = "",
    based_on: int | None = None,
    revision: int | None = None,
) -> Draft:
    """Create a draft, or replace the revision of it that is named.

    `based_on` is the published version it was begun from; without it the live one, or the one it had. NotFound if that
    was never published, or there is no such draft to replace; Conflict (with the `revision` it has) where another
    revision stands than was named, or one stands and none was named.
    """
    known = await _locked(connection, name)
    if known is None and revision is not None:
        raise NotFound(f"there is no draft {name}")
    if known is not None and known.revision != revision:
        raise Conflict(
            f"the draft {name} stands at revision {known.revision}, written by {known.updated_by}; look at it first",
            field="revision",
            data={"revision": known.revision},
        )
    if based_on is not None or known is None:
        based_on = (await policies.get(connection, based_on)).version
    rows = await connection.execute(
        text(f"""
        INSERT INTO policy_drafts (name, revision, based_on, document, source, comment, created_by, updated_by)
        VALUES (:name, 1, :based_on, CAST(:document AS jsonb), :source, :comment, :by, :by)
        ON CONFLICT (name) DO UPDATE SET revision = policy_drafts.revision + 1, based_on = EXCLUDED.based_on,
            document = EXCLUDED.document, source = EXCLUDED.source, comment = EXCLUDED.comment,
            updated_by = EXCLUDED.updated_by, updated_at = now()
        WHERE policy_drafts.revision = :revision
        RETURNING {_COLUMNS}
        """),
        {
            "name": name,
            "based_on": known.based_on if based_on is None and known else based_on,
            "document": policy.model_dump_json(),
            "source": source,
            "comment": comment,
            "by": by,
            "revision": revision,
        },
    )
    row = rows.mappings().one_or_none()
    if row is None:
        raise Conflict(f"somebody else has just created the draft {name}; look at it", field="revision")
    return _draft(row)


async def everyone(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Every draft without its document, the one that was written last first."""
    rows = await connection.execute(
        text("""
        SELECT name, revision, based_on, comment, created_by, created_at, updated_by, updated_at
        FROM policy_drafts ORDER BY updated_at DESC, name
        """)
    )
    return rows.mappings().all()


async def get(connection: AsyncConnection, name: str) -> Draft:
    """The draft. Raises NotFound."""
    rows = await connection.execute(text(f"SELECT {_COLUMNS} FROM policy_drafts WHERE name = :name"), {"name": name})
    row = rows.mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {name}")
    return _draft(row)


async def delete(connection: AsyncConnection, name: str) -> Draft:
    """Throw a draft away; answers what it was. Raises NotFound."""
    rows = await connection.execute(
        text(f"DELETE FROM policy_drafts WHERE name = :name RETURNING {_COLUMNS}"), {"name": name}
    )
    row = rows.mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {name}")
    return _draft(row)


async def _locked(connection: AsyncConnection, name: str) -> Draft | None:
    rows = await connection.execute(
        text(f"SELECT {_COLUMNS} FROM policy_drafts WHERE name = :name FOR UPDATE"), {"name": name}
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _draft(row)


def _draft(row: RowMapping) -> Draft:
    fields = {name: row[name] for name in row if name != "document"}
    return Draft(policy=Policy.model_validate(row["document"]), **fields)
