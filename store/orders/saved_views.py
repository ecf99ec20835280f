"""Filters of the order list that people keep under a name, for themselves or shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.search_filter import OrderFilter

_COLUMNS: Final = "id, owner, name, filter, shared, created_at, updated_at"
_SEEN: Final = "channels IS NOT DISTINCT FROM CAST(:channels AS text[]) AND (shared OR owner = :owner)"
_INSERT = text(f"""
INSERT INTO saved_views (id, owner, name, filter, shared, channels)
VALUES (:id, :owner, :name, CAST(:filter AS jsonb), :shared, :channels)
ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
""")
_REPLACE = text(f"""
UPDATE saved_views SET name = :name, filter = CAST(:filter AS jsonb), shared = :shared, updated_at = now()
WHERE id = :id RETURNING {_COLUMNS}
""")
_GET = text(f"SELECT {_COLUMNS} FROM saved_views WHERE id = :id AND {_SEEN}")
_NAMED = text(f"""
SELECT {_COLUMNS} FROM saved_views
WHERE owner = :owner AND name = :name AND channels IS NOT DISTINCT FROM CAST(:channels AS text[])
""")
_PAGE = text(f"""
SELECT {_COLUMNS} FROM saved_views
WHERE {_SEEN} AND (CAST(:after_name AS text) IS NULL OR (name, id) > (:after_name, :after_id))
ORDER BY name, id LIMIT :limit
""")
_COUNT = text("""
SELECT count(*) FROM saved_views WHERE owner = :owner AND channels IS NOT DISTINCT FROM CAST(:channels AS text[])
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('saved_views/' || CAST(:owner AS text)))")
_DELETE = text("DELETE FROM saved_views WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who keeps and sees views. `channels`: of a channel's own caller, its channels; callers of other channels, and the
    merchant's own people, for whom it is None, see none of its views, nor it theirs.
    """

    owner: str
    channels: tuple[str, ...] | None = None

    def as_parameters(self) -> dict[str, Any]:
        """Bind parameters of the statements."""
        return {"owner": self.owner, "channels": None if self.channels is None else list(self.channels)}


@dataclass(frozen=True, slots=True)
class ViewContent:
    """What is kept under a name."""

    name: str
    filter: OrderFilter
    shared: bool

    def as_parameters(self) -> dict[str, Any]:
        """Bind parameters of the statements."""
        return {"name": self.name, "filter": self.filter.model_dump_json(exclude_none=True), "shared": self.shared}


async def lock_owner(connection: AsyncConnection, viewer: Viewer) -> int:
    """How many views the owner has; nobody else adds one of his until the transaction ends."""
    await connection.execute(_LOCK, {"owner": viewer.owner})
    return int(await connection.scalar(_COUNT, viewer.as_parameters()) or 0)


async def insert(connection: AsyncConnection, view_id: str, viewer: Viewer, content: ViewContent) -> RowMapping | None:
    """Keep a view; None if the owner has one of this name."""
    found = await connection.execute(_INSERT, {"id": view_id, **viewer.as_parameters(), **content.as_parameters()})
    return found.mappings().one_or_none()


async def replace(connection: AsyncConnection, view_id: str, content: ViewContent) -> RowMapping:
    """Another name, filter or sharing for a view that is there. Raises IntegrityError for a name the owner has."""
    return (await connection.execute(_REPLACE, {"id": view_id, **content.as_parameters()})).mappings().one()


async def delete(connection: AsyncConnection, view_id: str) -> None:
    """Keep it no longer."""
    await connection.execute(_DELETE, {"id": view_id})


async def find(connection: AsyncConnection, view_id: str, viewer: Viewer) -> RowMapping | None:
    """The view, if it is the viewer's or shared with him."""
    return (await connection.execute(_GET, {"id": view_id, **viewer.as_parameters()})).mappings().one_or_none()


async def named(connection: AsyncConnection, name: str, viewer: Viewer) -> RowMapping | None:
    """The viewer's own view of this name."""
    return (await connection.execute(_NAMED, {"name": name, **viewer.as_parameters()})).mappings().one_or_none()


async def page(
    connection: AsyncConnection, viewer: Viewer, after: tuple[str, str] | None, limit: int
) -> Sequence[RowMapping]:
    """The viewer's own views and those shared with him, by name, from above the position (name, id) on."""
    name, view_id = after or (None, None)
    position = {"after_name": name, "after_id": view_id, "limit": limit}
    return (await connection.execute(_PAGE, {**viewer.as_parameters(), **position})).mappings().all()
