"""The exception queue with its filters. Counts are made by the code that lists: each equals the list that it opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionSeverity, OwnerRole
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.enums import ExceptionStatus
from store.tables.exceptions import exception_comments
from store.tables.orders import exceptions, fulfilments, orders

_X: Final = exceptions.c
_SHOWN: Final = (
    "id", "order_id", "kind", "detail", "data", "status", "version", "severity", "owner_role", "owner", "opened_at",
    "due_at", "snoozed_until", "closed_at", "resolution", "resolved_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExceptionFilter:
    """Which exceptions are asked for, as of `now`; what is None does not matter.

    `unassigned`: nobody's name stands at it. `overdue`: open, past its due time, and not put off. `snoozed`: open, and
    put off beyond `now`. `node_id`: its order has work of the node, or it is about the node. `older_than`: it was
    opened at least so long ago.
    """

    now: datetime
    order_id: str | None = None
    kind: str | None = None
    severity: ExceptionSeverity | None = None
    owner_role: OwnerRole | None = None
    owner: str | None = None
    unassigned: bool | None = None
    overdue: bool | None = None
    snoozed: bool | None = None
    status: ExceptionStatus | None = None
    channel: str | None = None
    node_id: str | None = None
    older_than: timedelta | None = None
    limits: Limits = UNLIMITED


@dataclass(frozen=True, slots=True)
class ExceptionCounts:
    """How many there are in all and by what people divide the queue by; each value that none has is left out. `owner`
    is by name, None for those that nobody looks after.
    """

    total: int
    kind: dict[str, int]
    severity: dict[str, int]
    owner_role: dict[str, int]
    owner: dict[str | None, int]
    overdue: dict[bool, int]
    snoozed: dict[bool, int]


def _conditions(wanted: ExceptionFilter) -> list[ColumnElement[bool]]:
    conditions = list(visibility.of_order_in(_X.order_id, wanted.limits))
    named = ("order_id", "kind", "severity", "owner_role", "owner", "status")
    conditions += [_X[name] == value for name in named if (value := getattr(wanted, name)) is not None]
    if wanted.unassigned is not None:
        conditions.append(_X.owner.is_(None) if wanted.unassigned else _X.owner.is_not(None))
    for asked, holds in ((wanted.overdue, _overdue(wanted.now)), (wanted.snoozed, _snoozed(wanted.now))):
        if asked is not None:
            conditions.append(holds if asked else ~holds)
    if wanted.channel is not None:
        of_channel = select(orders.c.id).where(orders.c.id == _X.order_id, orders.c.channel == wanted.channel)
        conditions.append(exists(of_channel))
    if wanted.node_id is not None:
        of_node = or_(fulfilments.c.node_id == wanted.node_id, fulfilments.c.pickup_node == wanted.node_id)
        work = exists().where(fulfilments.c.order_id == _X.order_id, of_node)
        conditions.append(or_(work, _X.data["node_id"].as_string() == wanted.node_id))
    if wanted.older_than is not None:
        conditions.append(_X.opened_at <= wanted.now - wanted.older_than)
    return conditions


def _snoozed(now: datetime) -> ColumnElement[bool]:
    """Never null, so that it can be turned round."""
    return and_(_X.status == ExceptionStatus.OPEN, func.coalesce(_X.snoozed_until > now, False))


def _overdue(now: datetime) -> ColumnElement[bool]:
    put_off = func.coalesce(_X.snoozed_until > now, False)
    return and_(_X.status == ExceptionStatus.OPEN, _X.due_at <= now, ~put_off)


async def page(
    connection: AsyncConnection, wanted: ExceptionFilter, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Exceptions, newest first, from below the number `before` on."""
    query = _rows(wanted.now).where(*_conditions(wanted)).order_by(_X.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_X.id < before)
    return (await connection.execute(query)).mappings().all()


async def one(connection: AsyncConnection, exception_id: int, wanted: ExceptionFilter) -> RowMapping | None:
    """The exception, if it is among what is asked for."""
    query = _rows(wanted.now).where(_X.id == exception_id, *_conditions(wanted))
    return (await connection.execute(query)).mappings().one_or_none()


async def comments(connection: AsyncConnection, exception_id: int) -> Sequence[RowMapping]:
    """What people wrote about an exception, oldest first."""
    names = ("id", "author", "text", "written_at")
    query = select(*(exception_comments.c[name] for name in names)).order_by(exception_comments.c.id)
    query = query.where(exception_comments.c.exception_id == exception_id)
    return (await connection.execute(query)).mappings().all()


async def count(connection: AsyncConnection, wanted: ExceptionFilter) -> ExceptionCounts:
    """How many exceptions `page` lists, in all and by value; in one statement, so that the numbers fit together."""
    parts: dict[str, ColumnElement[Any]] = {
        "kind": _X.kind,
        "severity": _X.severity,
        "owner_role": _X.owner_role,
        "owner": _X.owner,
        "overdue": case((_overdue(wanted.now), True), else_=False),
        "snoozed": case((_snoozed(wanted.now), True), else_=False),
    }
    found = select(*(part.label(name) for name, part in parts.items())).where(*_conditions(wanted)).cte("found")
    sets = func.grouping_sets(*(tuple_(found.c[name]) for name in parts), tuple_())
    query = select(func.grouping(*found.c).label("left_out"), *found.c, func.count().label("units")).group_by(sets)
    of_all = (1 << len(parts)) - 1
    total = 0
    counts: dict[str, dict[Any, int]] = {name: {} for name in parts}
    for row in (await connection.execute(query)).mappings():
        if row["left_out"] == of_all:
            total = row["units"]
        for place, name in enumerate(parts):
            if row["left_out"] == of_all & ~(1 << (len(parts) - 1 - place)):
                counts[name][row[name]] = row["units"]
    return ExceptionCounts(total=total, **counts)


def _rows(now: datetime) -> Any:
    overdue, snoozed = _overdue(now).label("overdue"), _snoozed(now).label("snoozed")
    return select(*(_X[name] for name in _SHOWN), overdue, snoozed)
