"""Work that no node has begun is taken back, so that its units can be planned at another node."""

import pytest

from dom.orders.changes import GiveDayBack, ReleaseStock
from dom.orders.commands import MoveWork
from dom.orders.holds import BlockedStep, Hold
from dom.orders.transitions import apply, decide
from dom.shared.errors import NotFound, OnHold, StepNotPossible
from tests.worlds.commanding import AT, S, working


def move(to: str | None = "north", fulfilment_id: str = "F1") -> MoveWork:
    return MoveWork(fulfilment_id=fulfilment_id, node_id=to, actor="ada", at=AT, planned={"F2": "north"})


@pytest.mark.parametrize("to", ["north", None])
def test_its_units_wait_and_stock_and_day_are_given_back(to: str | None) -> None:
    state = working(a=2, b=1)
    change = decide(state, move(to))
    after = apply(state, change)
    assert after.fulfilments["F1"].status is S.RECALLED
    assert after.waiting == {"a": 2, "b": 1}
    released, day = change.stock
    assert isinstance(released, ReleaseStock)
    assert (released.fulfilment_id, released.units) == ("F1", {"a": 2, "b": 1})
    assert day == GiveDayBack("F1")
    assert change.event.data.model_dump(exclude_none=True, exclude={"to"}) == {
        "fulfilment_id": "F1",
        "node_id": "dc",
        "fulfilments": {"F2": "north"},
    }


@pytest.mark.parametrize("status", sorted(set(S) - {S.RELEASED}))
def test_what_is_begun_or_over_stays(status: S) -> None:
    with pytest.raises(StepNotPossible, match="no node has begun"):
        decide(working(status, a=2), move())


def test_where_it_is_already() -> None:
    with pytest.raises(StepNotPossible, match="already"):
        decide(working(a=2), move("dc"))


def test_what_the_customer_collects_stays_there() -> None:
    with pytest.raises(StepNotPossible, match="pick-up node"):
        decide(working(pickup=True, a=2), move())


def test_none_there_is() -> None:
    with pytest.raises(NotFound):
        decide(working(a=2), move(fulfilment_id="F2"))


@pytest.mark.parametrize(("step", "waits"), [(BlockedStep.SOURCING, True), (BlockedStep.RELEASE, False)])
def test_a_hold_on_sourcing_blocks_it(step: BlockedStep, waits: bool) -> None:
    state = working(a=2)
    state.holds["H1"] = Hold("H1", "manual", frozenset({step}))
    if waits:
        with pytest.raises(OnHold):
            decide(state, move())
    else:
        assert decide(state, move()).statuses
