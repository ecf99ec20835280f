"""What each part of an order filter asks of the database, in two forms: for an order at hand, and for all orders."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    union,
)

from dom.orders import searching
from dom.orders.search_filter import FEWEST_OF_A_NUMBER, STUCK_HOURS, OrderFilter, beginning, day_of
from dom.orders.status import BEFORE_HAND_OVER, ENDED_UNDELIVERED, FINAL_ORDER, OrderStatus
from store.enums import ExceptionStatus
from store.tables.holds import order_holds
from store.tables.orders import (
    NO_PROMISE,
    carrier_events,
    exceptions,
    fulfilments,
    order_lines,
    orders,
    shipment_fulfilments,
    shipments,
    timeline,
)
from store.tables.returns import returns
from store.tables.searching import order_search

Test = ColumnElement[bool]

_FEWEST: Final = 3
"""Characters in a row that a trigram index finds anywhere in a text."""
_NUMBER_OF_ONE: Final = 7
_RETURN_TOKEN: Final = 7
"""Characters of a return's id behind the last hyphen."""
_FULFILMENT: Final = re.compile(r"(\S+)-f(\d{1,4})")
_RUN: Final = re.compile(r"[^\W_]+")
_SIGNS: Final = re.compile(r"([\\%_])")


@dataclass(frozen=True, slots=True)
class Columns:
    """A condition on the order's own columns."""

    test: Callable[[FromClause], Test]

    def probed(self, of: FromClause) -> Test:
        """Of an order at hand."""
        return self.test(of)

    def joined(self, of: FromClause) -> Test:
        """Of all orders."""
        return self.test(of)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to meet a condition: it answers orders' ids. `few`: never so many that collecting them first is slow."""

    ids: Select[Any]
    few: bool = False

    def holds(self, of: FromClause, *, fenced: bool) -> Test:
        """Of one order. `fenced`: looked up for each, never made a join with all."""
        (key,) = self.ids.selected_columns
        one = self.ids.where(key == of.c.id)
        return exists(one.offset(0) if fenced else one)


@dataclass(frozen=True, slots=True)
class Related:
    """A condition on what belongs to the order, met in any of the ways; or, negated, in none."""

    ways: tuple[Way, ...]
    negated: bool = False
    rare: bool = False
    """So few orders meet it that all are collected at once."""
    of_open: bool = False
    """Only open orders meet it, and what is asked beside it had better be asked of those."""
    slow: bool = False
    """It is asked of an order at hand alone, wherever other conditions leave few."""

    def probed(self, of: FromClause) -> Test:
        """Of an order at hand, by its own keys."""
        if self.negated:
            return and_(*(not_(way.holds(of, fenced=True)) for way in self.ways))
        return or_(*(of.c.id.in_(way.ids) if way.few else way.holds(of, fenced=True) for way in self.ways))

    def joined(self, of: FromClause) -> Test:
        """Of all orders, by the indexes of what they are asked for."""
        if self.negated:
            return and_(*(not_(way.holds(of, fenced=False)) for way in self.ways))
        first, *others = (way.ids for way in self.ways)
        return of.c.id.in_(union(first, *others) if others else first)


Condition = Columns | Related


def is_open(of: FromClause) -> Test:
    """The order is not final; said as the partial indexes say it."""
    return of.c.status.not_in([literal_column(f"'{status}'") for status in sorted(FINAL_ORDER)])


def promise_end(of: FromClause) -> ColumnElement[datetime]:
    """When the promise ends, far away for an order without one; said as the indexes say it."""
    return func.coalesce(of.c.promise_latest, literal_column(f"TIMESTAMPTZ '{NO_PROMISE:%Y-%m-%d} 00:00+00'"))


def between(
    moment: Callable[[FromClause], ColumnElement[Any]], first: str | None, last: str | None, now: datetime
) -> Iterator[Columns]:
    """The moment lies on these days; of each that is None nothing is asked."""
    today = now.date()
    if first is not None:
        least = beginning(day_of(first, today))
        yield Columns(lambda of: moment(of) >= least)
    if first is not None or last is not None:
        end = NO_PROMISE if last is None else beginning(day_of(last, today) + timedelta(days=1))
        yield Columns(lambda of: moment(of) < end)


def related(asked: OrderFilter, now: datetime) -> Iterator[Condition]:
    """What a filter asks of what belongs to the orders: not of channel, status, customer and days."""
    if asked.q is not None:
        yield Related(tuple(_typed(asked.q)), rare=_is_number(asked.q))
    if asked.node is not None:
        work = fulfilments.alias()
        given_up = work.c.status.in_([literal_column(f"'{status}'") for status in sorted(ENDED_UNDELIVERED)])
        yield Related((Way(select(work.c.order_id).where(work.c.node_id.in_(asked.node), not_(given_up))),))
    if asked.sku is not None:
        yield Related((Way(_lines(order_lines.c.sku == asked.sku), few=True),))
    if asked.postal_code is not None:
        code = searching.code(asked.postal_code)
        begins = order_search.c.postal_code.like(f"{code}%") if code else false()
        yield Related((Way(select(order_search.c.order_id).where(begins)),))
    if asked.tracking is not None:
        yield Related((_tracked(asked.tracking),), rare=_is_number(asked.tracking))
    if asked.tag is not None:
        yield from _tagged(asked.tag)
    yield from _of_state(asked, now)


def _of_state(asked: OrderFilter, now: datetime) -> Iterator[Condition]:
    if asked.late is not None:
        yield Related(tuple(_late(now)), negated=not asked.late, of_open=asked.late)
    if asked.stuck is not None or asked.stuck_hours is not None:
        since = now - timedelta(hours=asked.stuck_hours or STUCK_HOURS)
        is_stuck = asked.stuck is not False
        yield Related(tuple(_stuck(since)), negated=not is_stuck, of_open=is_stuck, slow=True)
    if asked.waiting is not None:
        yield Related(
            (Way(_lines(order_lines.c.backordered > 0), few=True),), negated=not asked.waiting, of_open=asked.waiting
        )
    if asked.held is not None:
        yield Related((_held(),), negated=not asked.held, of_open=asked.held)


def _held() -> Way:
    other = orders.alias()
    standing = order_holds.join(other, other.c.id == order_holds.c.order_id)
    found = select(order_holds.c.order_id).select_from(standing)
    return Way(found.where(order_holds.c.released_at.is_(None), is_open(other)), few=True)


def _lines(test: Test) -> Select[Any]:
    return select(order_lines.c.order_id).where(test)


def _typed(typed: str) -> Iterator[Way]:
    """The ways in which a text that a person typed is found."""
    words = searching.plain(typed).split()
    tests = [test for word in words for test in _word(word)]
    found: Test | None = and_(*tests) if tests else None
    if digits := searching.phone_digits(typed):
        called = order_search.c.text.like(f"%{digits}%")
        found = called if found is None else or_(found, called)
    if found is None:
        found = order_search.c.text == ""  # nothing that could be found was typed
    yield Way(select(order_search.c.order_id).where(found))
    as_typed = typed.strip()
    yield Way(_lines(order_lines.c.sku.in_(sorted({as_typed, as_typed.upper(), as_typed.lower()}))), few=True)
    number = searching.code(typed)
    if len(number) < FEWEST_OF_A_NUMBER:
        return
    if any(map(str.isdigit, number)):
        yield _tracked(number)
    if len(words) == 1:
        yield from _numbered(words[0])


def _numbered(word: str) -> Iterator[Way]:
    """Orders whose fulfilment or return has the number, or of a return a part of it."""
    part = f"%{_escaped(word)}%"
    test: Test = returns.c.id.ilike(part)
    if "-" not in word:  # the number of the order stands before it, and is found with the order's texts
        test = and_(test, func.right(returns.c.id, _RETURN_TOKEN).ilike(part))
    yield Way(select(returns.c.order_id).where(test), few=True)
    if named := _FULFILMENT.fullmatch(word):
        order_id = order_search.c.order_id
        is_work = exists().where(fulfilments.c.id == order_id + f"-F{named[2]}")
        ends_so = order_search.c.text.like(f"%{_escaped(named[1])} %")
        yield Way(select(order_id).where(ends_so, is_work), few=len(named[1]) >= _FEWEST)


def _word(word: str) -> Iterator[Test]:
    """What finds a word in the texts; nothing for one without letters and digits.

    The index is asked for the parts that say most, numbers if there are any: a channel's name or a mail provider's
    stands in every other text. The text is then compared with the whole word.
    """
    column = order_search.c.text
    first = _RUN.search(word)
    if first is None:
        return
    runs = _runs(word)
    if not runs:
        rest = _escaped(word[first.start() :])
        yield column.like(f"% {rest} %" if len(rest) == 1 else f"% {rest}%")
        return
    for run in dict.fromkeys(runs):
        yield column.like(f"%{_escaped(run)}%")
    if runs != [word]:
        yield (column + "").like(f"%{_escaped(word)}%")  # a column with something added is in no index


def _runs(word: str) -> list[str]:
    """The runs of letters and digits by which the index finds a word."""
    long = [run for run in _RUN.findall(word) if len(run) >= _FEWEST]
    box = [run for run in _RUN.findall(word.rpartition("@")[0]) if len(run) >= _FEWEST]
    numbers = [run for run in box or long if len(run) > _FEWEST and any(map(str.isdigit, run))]
    return numbers or box or long


def _is_number(typed: str) -> bool:
    """Whether it has so long a number that hardly two orders have it."""
    runs = (run for word in searching.plain(typed).split() for run in _runs(word))
    return any(len(run) >= _NUMBER_OF_ONE and any(map(str.isdigit, run)) for run in runs)


def _tracked(number: str) -> Way:
    moved = shipments.join(shipment_fulfilments, shipment_fulfilments.c.shipment_id == shipments.c.id)
    joined = moved.join(fulfilments, fulfilments.c.id == shipment_fulfilments.c.fulfilment_id)
    code = searching.code(number)
    part = shipments.c.tracking_number.ilike(f"%{code}%") if len(code) >= FEWEST_OF_A_NUMBER else false()
    return Way(select(fulfilments.c.order_id).select_from(joined).where(part), few=True)


def _tagged(tags: tuple[str, ...]) -> Iterator[Condition]:
    """Found among the texts, then compared with the tags as the channel gave them."""
    patterns = {f"% {_escaped(searching.plain(tag))} %" for tag in tags}
    found = or_(false(), *map(order_search.c.text.like, sorted(patterns)))
    yield Related((Way(select(order_search.c.order_id).where(found)),))
    yield Columns(lambda of: or_(false(), *(of.c.document.contains({"tags": [tag]}) for tag in tags)))


def _late(now: datetime) -> Iterator[Way]:
    """The promise has passed; or work is overdue at its node by so much that it arrives after the order's promise."""
    other = orders.alias()
    yield Way(select(other.c.id).where(is_open(other), promise_end(other) < now), few=True)
    work = fulfilments
    undone = work.c.status.in_([literal_column(f"'{status}'") for status in sorted(BEFORE_HAND_OVER)])
    too_late = work.c.promise_latest + (now - work.c.ship_by) > other.c.promise_latest
    of_order = work.join(other, other.c.id == work.c.order_id)
    overdue = select(work.c.order_id).select_from(of_order).where(undone, work.c.ship_by < now, too_late)
    yield Way(overdue.where(is_open(other)), few=True)


def _stuck(since: datetime) -> Iterator[Way]:
    """An exception is open; or nothing happened since then, though not everything waits for stock."""
    concerned = exceptions.c.order_id
    other = orders.alias()
    of_open = select(concerned).where(exceptions.c.status == literal_column(f"'{ExceptionStatus.OPEN}'"))
    yield Way(of_open.join(other, other.c.id == concerned).where(is_open(other)), few=True)
    told = exists().where(timeline.c.order_id == other.c.id, timeline.c.recorded_at >= since)
    moved = fulfilments.join(shipment_fulfilments, shipment_fulfilments.c.fulfilment_id == fulfilments.c.id)
    moved = moved.join(shipments, shipments.c.id == shipment_fulfilments.c.shipment_id)
    scans = moved.join(
        carrier_events,
        and_(
            carrier_events.c.carrier == shipments.c.carrier,
            carrier_events.c.tracking_number == shipments.c.tracking_number,
        ),
    )
    scanned = exists().select_from(scans).where(fulfilments.c.order_id == other.c.id)
    silent = select(other.c.id).where(is_open(other), other.c.captured_at < since, not_(told))
    silent = silent.where(
        other.c.status != OrderStatus.BACKORDERED, not_(scanned.where(carrier_events.c.recorded_at >= since))
    )
    yield Way(silent)


def _escaped(text: str) -> str:
    return _SIGNS.sub(r"\\\1", text)
