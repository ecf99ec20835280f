"""Bulk runs are asked for, counted beforehand, stopped and resumed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.bulk import MOST_ORDERS, SCOPE_OF, BulkAction, BulkSelection, BulkStatus, HoldOrders, ReleaseOrders
from dom.orders.search_filter import OrderFilter
from dom.returns import OTHER_REQUEST
from dom.shared.access import Principal
from dom.shared.errors import Conflict, Forbidden, InvalidInput, Stale
from services import saved_views
from store.access import visibility
from store.holds import policies
from store.orders import bulk_runs, search
from store.orders.bulk_runs import BulkRun

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class BulkCall:
    """One action on many orders, as a caller asks for it. `expected` is how many orders he saw in a preview."""

    action: BulkAction
    selection: BulkSelection
    reason: str
    expected: int | None = None
    request: str | None = None
    request_hash: str = ""


@dataclass(frozen=True, slots=True)
class Selected:
    """The orders that a selection finds, in sequence; `missing` are those of them that are not there for the caller."""

    orders: Sequence[str]
    missing: frozenset[str] = frozenset()


async def ask(connection: AsyncConnection, who: Principal, asked: BulkCall, now: datetime) -> tuple[BulkRun, bool]:
    """Write down a run; answers it and whether it is new: the same request again is answered as it stands.

    Raises Forbidden where the caller may not do it to one order, InvalidInput for a selection that names nothing, no
    orders or too many, Stale where it finds another number of orders than was expected, and Conflict where the request
    stands for another one.
    """
    if asked.request is not None:
        known = await bulk_runs.requested(connection, who.name, asked.request)
        if known is not None:
            return _repeated(known, asked), False
    found = await select(connection, who, asked, now)
    there = len(found.orders) - len(found.missing)
    if asked.expected is not None and there != asked.expected:
        raise Stale(f"{there} orders are selected now, not {asked.expected}", field="expected", data={"orders": there})
    if not found.orders:
        raise InvalidInput("no order is selected", field="selection")
    run = bulk_runs.BulkAsked(
        id=f"bulk-{secrets.token_hex(10)}",
        action=asked.action,
        selection=asked.selection.model_dump(mode="json", exclude_defaults=True),
        reason=asked.reason,
        orders=found.orders,
        refused=found.missing,
        requested_by=who.name,
        roles=who.roles,
        limits=who.limits,
        request=asked.request,
        request_hash=asked.request_hash,
    )
    if not await bulk_runs.insert(connection, run):
        assert asked.request is not None  # noqa: S101  only a request can be known
        known = await bulk_runs.requested(connection, who.name, asked.request)
        assert known is not None  # noqa: S101
        return _repeated(known, asked), False
    return await bulk_runs.get(connection, run.id, who.limits), True


def _repeated(known: BulkRun, asked: BulkCall) -> BulkRun:
    if known.request_hash != asked.request_hash:
        raise Conflict(OTHER_REQUEST, field="Idempotency-Key")
    return known


async def select(connection: AsyncConnection, who: Principal, asked: BulkCall, now: datetime) -> Selected:
    """The orders that would be changed. Raises as `ask` does."""
    _must_be_allowed(who, asked.action)
    await _check_action(connection, asked.action)
    selection = asked.selection
    if selection.orders is not None:
        if selection.filter is not None or selection.view is not None:
            raise InvalidInput("name orders, or give a filter or a view, not both", field="selection.orders")
        orders = list(dict.fromkeys(selection.orders))
        seen = await visibility.seen_orders(connection, who.limits, orders)
        return Selected(orders, frozenset(orders) - seen)
    return Selected(await _filtered(connection, who, selection, now))


def _must_be_allowed(who: Principal, action: BulkAction) -> None:
    """Raises Forbidden for who may not do it to one order."""
    needed = SCOPE_OF[type(action)]
    if not who.has(needed):
        raise Forbidden(f"this needs the scope {needed}, which {who.name} does not have", data={"scope": needed})


async def _check_action(connection: AsyncConnection, action: BulkAction) -> None:
    """Raises InvalidInput for a type of hold there is not: every order would be refused for it."""
    if isinstance(action, HoldOrders | ReleaseOrders):
        _, policy = await policies.live(connection)
        if action.type not in policy.types:
            types = {"types": sorted(policy.types)}
            raise InvalidInput(f"there is no type of hold {action.type}", field="action.type", data=types)


async def _filtered(
    connection: AsyncConnection, who: Principal, selection: BulkSelection, now: datetime
) -> Sequence[str]:
    filters: list[OrderFilter] = []
    if selection.view is not None:
        kept = await saved_views.get(connection, who, selection.view, "selection.view")
        filters.append(saved_views.filter_of(kept))
    if selection.filter is not None:
        filters.append(selection.filter)
    if all(each.model_dump(exclude={"sort"}, exclude_none=True) == {} for each in filters):
        raise InvalidInput("say what the orders have in common; all orders are no selection", field="selection")
    found: list[str] = []
    after: search.Position | None = None
    while True:
        wanted = search.Search(tuple(filters), now, who.limits, after, _PAGE)
        page = await search.find(connection, wanted)
        found += [order_id for _, order_id in page]
        if len(found) > MOST_ORDERS:
            raise InvalidInput(f"more than {MOST_ORDERS:,} orders are selected; select fewer", field="selection")
        if len(page) < _PAGE:
            return found
        after = page[-1]


async def stop(connection: AsyncConnection, who: Principal, bulk_id: str) -> BulkRun:
    """Nothing is begun any more; what is under way is ended. One that is stopped is answered as it stands.

    Raises NotFound, and Conflict for one that is done.
    """
    run = await bulk_runs.get(connection, bulk_id, who.limits, lock=True)
    if run.status is BulkStatus.DONE:
        raise Conflict("it is done, and cannot be stopped", data={"status": run.status})
    if run.status is not BulkStatus.STOPPED:
        await bulk_runs.set_status(connection, bulk_id, BulkStatus.STOPPED, who.name)
    return await bulk_runs.get(connection, bulk_id, who.limits)


async def resume(connection: AsyncConnection, who: Principal, bulk_id: str) -> BulkRun:
    """A stopped run goes on with the orders that have no outcome. One that is not stopped is answered as it stands.

    Raises NotFound, Conflict for one that is done, and Forbidden where the caller may not do it to one order.
    """
    run = await bulk_runs.get(connection, bulk_id, who.limits, lock=True)
    _must_be_allowed(who, run.action)
    if run.status is BulkStatus.DONE:
        raise Conflict("it is done, and cannot be resumed", data={"status": run.status})
    if run.status is BulkStatus.STOPPED:
        await bulk_runs.set_status(connection, bulk_id, BulkStatus.QUEUED, None)
    return await bulk_runs.get(connection, bulk_id, who.limits)
