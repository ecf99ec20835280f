"""Views of the order list: who may keep, see and change which."""

import secrets
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.search_filter import OrderFilter
from dom.shared.access import Principal, Role, Scope
from dom.shared.errors import Conflict, Forbidden, NotFound
from store.orders import saved_views
from store.orders.saved_views import ViewContent, Viewer

MOST: Final = 100
"""Views that one owner keeps."""


def viewer(who: Principal) -> Viewer:
    """The caller, with the channels that keep its views apart from the merchant's if it is a channel's program."""
    of_partner = who.roles == {Role.CHANNEL}
    return Viewer(who.name, tuple(sorted(who.limits.channels or ())) if of_partner else None)


async def create(connection: AsyncConnection, who: Principal, content: ViewContent) -> tuple[RowMapping, bool]:
    """Keep a view; answers it and whether it is new: the same again is answered as it stands.

    Raises Conflict where the caller has another one of this name, or too many.
    """
    own = viewer(who)
    kept = await saved_views.lock_owner(connection, own)
    if (known := await saved_views.named(connection, content.name, own)) is not None:
        if (known["shared"], filter_of(known)) != (content.shared, content.filter):
            raise _taken(content.name, known["id"])
        return known, False
    if kept >= MOST:
        raise Conflict(f"{who.name} keeps {kept} views; delete one first")
    made = await saved_views.insert(connection, f"v-{secrets.token_hex(6)}", own, content)
    assert made is not None  # noqa: S101  the owner is locked
    return made, True


async def replace(connection: AsyncConnection, who: Principal, view_id: str, content: ViewContent) -> RowMapping:
    """Change the caller's own view. Raises NotFound, Forbidden for another's, Conflict for a name he uses already."""
    await _own(connection, who, view_id)
    await saved_views.lock_owner(connection, viewer(who))
    known = await saved_views.named(connection, content.name, viewer(who))
    if known is not None and known["id"] != view_id:
        raise _taken(content.name, known["id"])
    return await saved_views.replace(connection, view_id, content)


async def delete(connection: AsyncConnection, who: Principal, view_id: str) -> RowMapping:
    """Delete the caller's own view; who manages access may delete any that is shared, as its owner may be gone.
    Answers what it was. Raises NotFound, Forbidden.
    """
    found = await get(connection, who, view_id)
    if not who.has(Scope.ACCESS_MANAGE):
        _must_be_own(who, found)
    await saved_views.delete(connection, view_id)
    return found


async def get(connection: AsyncConnection, who: Principal, view_id: str, field: str | None = None) -> RowMapping:
    """A view that is the caller's or shared with him. Raises NotFound, with the field that names it."""
    found = await saved_views.find(connection, view_id, viewer(who))
    if found is None:
        raise NotFound(f"there is no view {view_id}", field=field)
    return found


def filter_of(view: RowMapping) -> OrderFilter:
    """The filter of a view."""
    return OrderFilter.model_validate(view["filter"])


async def _own(connection: AsyncConnection, who: Principal, view_id: str) -> None:
    _must_be_own(who, await get(connection, who, view_id))


def _must_be_own(who: Principal, view: RowMapping) -> None:
    if view["owner"] != who.name:
        raise Forbidden(f"the view {view['id']} is {view['owner']}'s")


def _taken(name: str, view_id: str) -> Conflict:
    return Conflict(f"you have another view called {name}", field="name", data={"id": view_id})
