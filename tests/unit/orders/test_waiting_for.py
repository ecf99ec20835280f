"""Every order that is not final says what it waits for and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.orders.lifecycle import FulfilmentState, LineState, OrderState
from dom.orders.status import FINAL_FULFILMENT, FINAL_ORDER, FINAL_RETURN, FulfilmentStatus, ReturnStatus
from dom.orders.waiting_for import (
    Awaited,
    Party,
    ReturnWaiting,
    UnitsWaiting,
    WaitsFor,
    WorkWaiting,
    waiting_for,
)

S = FulfilmentStatus
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHIP_BY, PROMISED, EXPIRES = AT + timedelta(hours=4), AT + timedelta(days=2), AT + timedelta(days=30)
AGAIN, RELEASED, GIVEN_UP = AT + timedelta(hours=6), AT + timedelta(days=5), AT + timedelta(days=14)


def work(number: int, status: S) -> WorkWaiting:
    return WorkWaiting(f"F{number}", "dc", "northline", status, SHIP_BY, PROMISED)


def units(released_at: datetime | None = None, never: frozenset[str] = frozenset(), **fields: int) -> UnitsWaiting:
    return UnitsWaiting(fields, AGAIN, GIVEN_UP, released_at, never)


@st.composite
def orders(draw: st.DrawFn) -> OrderState:
    """Orders whose units are anywhere, so that the sum of every line holds."""
    state = OrderState("web-1", {})
    for line_id in ("a", "b")[: draw(st.integers(1, 2))]:
        cancelled, waiting = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        state.lines[line_id] = LineState(line_id, line_id.upper(), cancelled + waiting, 100, cancelled, waiting)
    for number in range(draw(st.integers(0, 4))):
        lines = {line_id: draw(st.integers(1, 3)) for line_id in state.lines if draw(st.booleans())}
        status = draw(st.sampled_from(FulfilmentStatus))
        made = FulfilmentState(f"F{number}", "dc", pickup=draw(st.booleans()), lines=lines, status=status)
        state.fulfilments[made.id] = made
    return state


@given(
    orders(),
    st.none() | st.just(RELEASED),
    st.frozensets(st.sampled_from(["a", "b"])),
    st.booleans(),
    st.lists(st.sampled_from(ReturnStatus), max_size=2),
)
def test_no_order_that_is_not_final_waits_without_a_name(
    state: OrderState,
    released_at: datetime | None,
    never: frozenset[str],
    for_a_person: bool,
    returned: list[ReturnStatus],
) -> None:
    without = UnitsWaiting(state.waiting, AGAIN, GIVEN_UP, released_at, never, for_a_person) if state.waiting else None
    returns = [ReturnWaiting(f"R{number}", "dc", status, EXPIRES) for number, status in enumerate(returned)]
    found = waiting_for(without, [work(n, f.status) for n, f in enumerate(state.fulfilments.values())], returns)
    if state.status() not in FINAL_ORDER:
        assert found
    for each in found:
        assert each.what in Awaited
        assert each.until >= AT
        assert each.name is not None or each.who not in {Party.NODE, Party.CARRIER}
    assert sum(each.units or 0 for each in found) == sum(state.waiting.values())
    assert len([each for each in found if each.fulfilment_id]) == sum(
        f.status not in FINAL_FULFILMENT for f in state.fulfilments.values()
    )
    assert len([each for each in found if each.return_id]) == sum(each not in FINAL_RETURN for each in returned)


@pytest.mark.parametrize("status", [each for each in S if each not in FINAL_FULFILMENT])
def test_every_status_that_goes_on_has_somebody_whose_turn_it_is(status: S) -> None:
    (found,) = waiting_for(None, [work(1, status)])
    assert (found.fulfilment_id, found.units, found.gives_up_at) == ("F1", None, None)


@pytest.mark.parametrize(
    ("status", "what", "who", "name", "until"),
    [
        (S.RELEASED, "acceptance", "node", "dc", SHIP_BY),
        (S.BOOKED, "pick_up", "carrier", "northline", SHIP_BY),
        (S.HANDED_OVER, "delivery", "carrier", "northline", PROMISED),
        (S.READY, "collection", "customer", None, PROMISED),
    ],
)
def test_work_is_waited_for_until_it_must_leave_or_was_promised(
    status: S, what: str, who: str, name: str | None, until: datetime
) -> None:
    (found,) = waiting_for(None, [work(1, status)])
    assert (found.what, found.who, found.name, found.until) == (what, who, name, until)


def said(found: tuple[WaitsFor, ...]) -> list[tuple[object, ...]]:
    return [(each.what.value, each.who.value, each.units, each.until, each.gives_up_at) for each in found]


def test_units_without_a_node_wait_for_stock_a_release_day_or_a_person() -> None:
    assert said(waiting_for(units(a=2, b=1), [])) == [("stock", "system", 3, AGAIN, GIVEN_UP)]
    assert said(waiting_for(units(never=frozenset("b"), a=2, b=1), [])) == [
        ("decision", "planner", 1, AGAIN, GIVEN_UP),
        ("stock", "system", 2, AGAIN, GIVEN_UP),
    ]
    assert said(waiting_for(units(RELEASED, a=2), [])) == [("release_day", "system", 2, RELEASED, None)]


def test_a_return_waits_for_the_customer_and_then_for_the_node() -> None:
    back = [ReturnWaiting("R1", "dc", status, EXPIRES) for status in (ReturnStatus.REQUESTED, ReturnStatus.RECEIVED)]
    found = waiting_for(None, [], back)
    assert [(each.what, each.who, each.name, each.until) for each in found] == [
        ("goods_back", "customer", None, EXPIRES), ("inspection", "node", "dc", EXPIRES),
    ]  # fmt: skip
