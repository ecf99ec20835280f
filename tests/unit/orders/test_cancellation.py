"""What a cancellation of what is possible takes, and why it leaves the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.orders import cancellation
from dom.orders.cancellation import CancelMode
from dom.orders.events import CancelledData
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.transitions import apply, decide
from dom.shared.errors import CannotCancel, Forbidden
from tests.worlds.commanding import S, cancel, order, working


def spread() -> OrderState:
    """Eight units: one waits, two are released, two packed, two handed over, one delivered."""
    state = order(a=8)
    for number, (units, status) in enumerate(
        ((2, S.RELEASED), (2, S.PACKED), (2, S.HANDED_OVER), (1, S.DELIVERED)), start=1
    ):
        state.add(FulfilmentState(f"F{number}", f"n{number}", pickup=False, lines={"a": units}, status=status))
    return state


def left_of(data: CancelledData) -> list[tuple[int, str, str | None]]:
    return [(each.quantity, each.reason, each.fulfilment_id) for each in data.left or ()]


def test_everything_that_has_not_left_is_taken() -> None:
    change = decide(spread(), cancel(mode=CancelMode.POSSIBLE))
    assert isinstance(change.event.data, CancelledData)
    assert change.cancelled == {"a": 5} == change.event.data.lines
    assert left_of(change.event.data) == [(2, "handed_over", "F3"), (1, "with_customer", "F4")]


def test_nothing_possible_is_refused_with_the_reasons() -> None:
    state = apply(spread(), decide(spread(), cancel(mode=CancelMode.POSSIBLE)))
    with pytest.raises(CannotCancel) as refused:
        decide(state, cancel({"a": None}, mode=CancelMode.POSSIBLE))
    left = [
        {"quantity": 2, "reason": "handed_over", "fulfilment_id": "F3"},
        {"quantity": 1, "reason": "with_customer", "fulfilment_id": "F4"},
    ]
    assert refused.value.data == {"lines": [{"line_id": "a", "asked": 3, "left": left}]}


def test_work_of_other_nodes_is_left_and_of_all_or_nothing_forbidden() -> None:
    state = spread()
    change = decide(state, cancel(mode=CancelMode.POSSIBLE, nodes=("n2",)))
    assert isinstance(change.event.data, CancelledData)
    assert change.cancelled == {"a": 3}
    assert left_of(change.event.data)[0] == (2, "other_node", "F1")
    with pytest.raises(Forbidden):
        decide(state, cancel({"a": 4}, nodes=("n2",)))


def test_a_line_that_is_cancelled_says_so() -> None:
    state = working(a=2)
    state = apply(state, decide(state, cancel()))
    with pytest.raises(CannotCancel) as refused:
        decide(state, cancel({"a": None}, mode=CancelMode.POSSIBLE))
    assert refused.value.data["lines"][0]["left"] == [{"quantity": 2, "reason": "cancelled_already"}]


@given(units=st.integers(1, 12), possible=st.booleans())
def test_every_unit_asked_for_is_accounted_for(units: int, *, possible: bool) -> None:
    mode = CancelMode.POSSIBLE if possible else CancelMode.ALL
    try:
        change = decide(spread(), cancel({"a": units}, mode=mode))
    except CannotCancel as refused:
        assert not possible
        (line,) = refused.data["lines"]
        assert line["asked"] == units
        return
    (line,) = cancellation.of_event(change.event.data.model_dump(mode="json", exclude_none=True))
    assert line.asked == units == line.cancelled + sum(each.quantity for each in line.left)
    assert change.cancelled == {"a": line.cancelled} == {"a": min(units, 5)}
    after = apply(spread(), change)
    living = sum(f.lines["a"] for f in after.living)
    assert after.lines["a"].quantity == after.lines["a"].cancelled + after.lines["a"].backordered + living


def test_every_reason_is_one_that_callers_know() -> None:
    assert set(cancellation.LeftReason) == {
        "handed_over", "with_customer", "other_node", "asked", "carrier_asked", "asked_before",
        "cancelled_already", "not_ordered",
    }  # fmt: skip
