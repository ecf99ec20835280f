"""Orders that people look for, at any number of orders.

Who asks wants a page of the newest orders that match, and nobody knows how many match. Walking from the newest on is
fast where many do and reads everything where none does; collecting all that match by their indexes is fast where few
do. So the newest few thousand are walked first. If they do not fill the page, few enough match to collect them all.
What can only be of an order or two, such as a tracking number, is collected at once.
Lists page by key, never by offset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Text, func, literal, select, text, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.search_filter import OrderFilter, OrderSort
from dom.orders.status import FINAL_ORDER
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.orders.search_conditions import Columns, Condition, Related, Way, between, is_open, promise_end, related
from store.tables.orders import orders

NEWEST: Final = 4000
"""How many orders are walked before all that match are collected."""
_CUSTOM_PLANS: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""One plan for all values would be wrong for most: what is typed may match one order or half of them."""
_WALKED: Final = ("id", "channel", "status", "customer_id", "document", "placed_at", "captured_at", "promise_latest")

Position = tuple[datetime, str]
"""Where a page ends: the moment that orders are sorted by, and the id."""


@dataclass(frozen=True, slots=True)
class Search:
    """Orders that each of the filters lets through and that the caller sees, from below a position on.

    The last of the filters that names a sort says how they are sorted.
    """

    filters: tuple[OrderFilter, ...]
    now: datetime
    limits: Limits = UNLIMITED
    after: Position | None = None
    limit: int = 50

    @property
    def sort(self) -> OrderSort:
        """How the orders are sorted."""
        return next((each.sort for each in reversed(self.filters) if each.sort), OrderSort.CAPTURED)


async def find(connection: AsyncConnection, wanted: Search) -> list[Position]:
    """A page of orders: the moment each is sorted by, and its id. Ask in a transaction."""
    asked = _Asked.of(wanted)
    if asked.nothing:
        return []
    await connection.execute(_CUSTOM_PLANS)
    if any(isinstance(each, Related) and each.rare for each in asked.beside):
        return await _page(connection, asked.collected())
    found = await _page(connection, asked.newest())
    if len(found) < wanted.limit and asked.beside:
        found = await _page(connection, asked.collected())
    return found


async def _page(connection: AsyncConnection, query: Select[Any]) -> list[Position]:
    return [(row.moment, row.id) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the filters and the caller's limits ask: of the index that is walked, and beside it."""

    wanted: Search
    column: str | None
    """Orders with any of the values in this column are walked; None: the index has no column but the moment."""
    values: tuple[str, ...]
    walked: tuple[Columns, ...]
    beside: tuple[Condition, ...]
    nothing: bool
    """No order can match."""

    @classmethod
    def of(cls, wanted: Search) -> "_Asked":
        """The index to walk is the one of the sort that leaves fewest orders."""
        filters = wanted.filters
        lists = {
            "customer_id": _common(None if each.customer is None else {each.customer} for each in filters),
            "status": _common(each.status for each in filters),
            "channel": _common((wanted.limits.channels, *(each.channel for each in filters))),
        }
        given = {name: values for name, values in lists.items() if values is not None}
        by_state = any(each.late or each.stuck or (each.stuck is None and each.stuck_hours) for each in filters)
        column = _column_to_walk(given, by_state=by_state) if wanted.sort is OrderSort.CAPTURED else None
        only_open = by_state or ("status" in given and not given["status"] & FINAL_ORDER)
        walked = [Columns(is_open)] if only_open and column is None else []
        beside: list[Condition] = [_one_of(name, values) for name, values in given.items() if name != column]
        for each in filters:
            placed = between(lambda of: of.c.placed_at, each.placed_from, each.placed_to, wanted.now)
            (walked if wanted.sort is OrderSort.PLACED else beside).extend(placed)
            promised = between(promise_end, each.promise_from, each.promise_to, wanted.now)
            (walked if wanted.sort is OrderSort.PROMISE else beside).extend(promised)
            beside.extend(related(each, wanted.now))
        if wanted.limits.nodes is not None:
            beside.append(Related((Way(visibility.with_work_at(wanted.limits.nodes)),)))
        values = tuple(sorted(given[column])) if column else ()
        return cls(wanted, column, values, tuple(walked), tuple(beside), not all(given.values()))

    def newest(self) -> Select[Any]:
        """Asks the first few thousand orders; all where the walk leaves nothing to ask."""
        walk = self._walk(NEWEST if self.beside else self.wanted.limit).subquery("o")
        query = select(walk.c.moment, walk.c.id).where(*(each.probed(walk) for each in self.beside))
        return self._first(query, walk.c.moment, walk, self.wanted.limit)

    def collected(self) -> Select[Any]:
        """Asks all orders; what matches is collected before it is sorted."""
        few = any(isinstance(each, Related) and each.of_open for each in self.beside)
        tests = [each.joined(orders) for each in self.walked]
        for each in self.beside:
            at_hand = isinstance(each, Related) and (each.slow or (few and len(each.ways) > 1 and not each.of_open))
            tests.append(each.probed(orders) if at_hand else each.joined(orders))
        if self.column:
            tests.append(orders.c[self.column].in_(self.values))
        query = select(self._moment(orders).label("moment"), orders.c.id).where(*tests, *self._after())
        found = query.cte("found").prefix_with("MATERIALIZED")
        return self._first(select(found.c.moment, found.c.id), found.c.moment, found, self.wanted.limit)

    def _walk(self, most: int) -> Select[Any]:
        moment = self._moment(orders)
        query = select(moment.label("moment"), *(orders.c[name] for name in _WALKED)).where(*self._after())
        if self.column is None:
            return self._first(query.where(*(each.joined(orders) for each in self.walked)), moment, orders, most)
        each = select(func.unnest(literal(list(self.values), ARRAY(Text))).label("value")).subquery("each")
        of_one = self._first(query.where(orders.c[self.column] == each.c.value), moment, orders, most).lateral("one")
        return self._first(select(of_one).select_from(each.join(of_one, true())), of_one.c.moment, of_one, most)

    def _moment(self, of: FromClause) -> ColumnElement[datetime]:
        if self.wanted.sort is OrderSort.PROMISE:
            return promise_end(of)
        return of.c.placed_at if self.wanted.sort is OrderSort.PLACED else of.c.captured_at

    def _after(self) -> list[ColumnElement[bool]]:
        if self.wanted.after is None:
            return []
        here, position = tuple_(self._moment(orders), orders.c.id), tuple_(*map(literal, self.wanted.after))
        return [here > position if self.wanted.sort is OrderSort.PROMISE else here < position]

    def _first(self, query: Select[Any], moment: ColumnElement[datetime], of: FromClause, most: int) -> Select[Any]:
        sequence: Sequence[ColumnElement[Any]] = (moment, of.c.id)
        if self.wanted.sort is not OrderSort.PROMISE:
            sequence = [each.desc() for each in sequence]
        return query.order_by(*sequence).limit(most)


def _common(lists: Iterable[Iterable[str] | None]) -> frozenset[str] | None:
    """The values that each list allows; None where none is given."""
    given = [frozenset(map(str, each)) for each in lists if each is not None]
    return frozenset.intersection(*given) if given else None


def _column_to_walk(given: dict[str, frozenset[str]], *, by_state: bool) -> str | None:
    """`by_state`: only orders that are not final can match, for which there is an index without such a column."""
    if "customer_id" in given:
        return "customer_id"
    if by_state:
        return None
    if "status" in given and ("channel" not in given or not given["status"] & FINAL_ORDER):
        return "status"
    return "channel" if "channel" in given else None


def _one_of(column: str, values: frozenset[str]) -> Columns:
    wanted = sorted(values)
    return Columns(lambda of: of.c[column].in_(wanted))
