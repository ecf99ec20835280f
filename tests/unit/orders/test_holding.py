"""A hold blocks its steps, and they alone; released, what could not be done in time is sourced again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dom.exceptions import ExceptionKind
from dom.orders.changes import GiveDayBack, ReleaseStock
from dom.orders.commands import HoldIsOverdue, PlaceHold, ReleaseHold
from dom.orders.event_data import HoldData
from dom.orders.holds import BlockedStep
from dom.orders.lifecycle import OrderState
from dom.orders.status import OrderStatus
from dom.orders.transitions import apply, decide
from dom.shared.errors import NotFound, OnHold, StepNotPossible
from tests.worlds.commanding import AT, S, Step, cancel, parcel, step, working

B = BlockedStep


def held(state: OrderState, *blocks: BlockedStep, type_: str = "fraud") -> OrderState:
    return apply(state, decide(state, PlaceHold(type=type_, blocks=frozenset(blocks), actor="ada", at=AT)))


def late(state: OrderState, by: timedelta) -> OrderState:
    work = {each.id: replace(each, ship_by=AT - by) for each in state.fulfilments.values()}
    return replace(state, fulfilments=work)


def released(state: OrderState) -> ReleaseHold:
    (hold,) = state.holds
    return ReleaseHold(hold_id=hold, actor="ada", at=AT, reason="cleared")


class TestSteps:
    @pytest.mark.parametrize("name", [Step.ACCEPT, Step.REJECT, Step.PICK, Step.PACK])
    def test_unbegun_work_is_not_released(self, name: Step) -> None:
        with pytest.raises(OnHold) as refused:
            decide(held(working(a=2), B.RELEASE), step(name))
        assert refused.value.data["holds"][0]["type"] == "fraud"

    def test_work_that_was_begun_goes_on(self) -> None:
        assert decide(held(working(S.ACCEPTED, a=2), B.RELEASE), step(Step.PICK)).statuses[0].status is S.PICKED

    def test_a_node_that_cannot_do_it_loses_it_all_the_same(self) -> None:
        said = step(Step.REJECT, if_unbegun=True)
        assert decide(held(working(a=2), B.RELEASE), said).statuses[0].status is S.REJECTED

    @pytest.mark.parametrize(("name", "status"), [(Step.HAND_OVER, S.BOOKED), (Step.COLLECT, S.READY)])
    def test_goods_do_not_leave(self, name: Step, status: S) -> None:
        state = working(status, a=2)
        state = replace(state, fulfilments={f.id: replace(f, pickup=status is S.READY) for f in state.living})
        decide(held(state, B.RELEASE), step(name))
        with pytest.raises(OnHold):
            decide(held(state, B.HAND_OVER), step(name))

    def test_a_parcel_that_left_all_the_same_is_looked_at(self) -> None:
        change = decide(held(working(S.BOOKED, a=2), B.HAND_OVER), parcel(S.HANDED_OVER))
        assert [each.kind for each in change.troubles] == [ExceptionKind.SENT_ON_HOLD]
        assert change.statuses[0].status is S.HANDED_OVER

    def test_a_cancellation_is_always_possible(self) -> None:
        state = held(working(a=2), *B)
        assert apply(state, decide(state, cancel())).status() is OrderStatus.CANCELLED


class TestPlacing:
    def test_two_types_stand_beside_each_other_and_one_not_twice(self) -> None:
        state = held(held(working(a=1), B.RELEASE), B.HAND_OVER, type_="address")
        assert list(state.holds) == ["web-1-H1", "web-1-H2"]
        with pytest.raises(StepNotPossible):
            held(state, B.RELEASE)

    def test_ids_are_never_given_again(self) -> None:
        state = held(working(a=1), B.RELEASE)
        state = held(apply(state, decide(state, released(state))), B.RELEASE)
        assert [hold.rpartition("-")[2] for hold in state.holds] == ["H2"]

    def test_on_an_order_that_is_over_only_what_blocks_refunds(self) -> None:
        over = working(S.DELIVERED, a=1)
        with pytest.raises(StepNotPossible):
            held(over, B.RELEASE)
        assert held(over, B.REFUND, B.RELEASE).holds


class TestReleasing:
    def test_what_does_not_stand(self) -> None:
        with pytest.raises(NotFound):
            decide(working(a=1), ReleaseHold(hold_id="H7", actor="ada", at=AT))

    def test_work_in_time_stays(self) -> None:
        state = held(late(working(a=2), timedelta(minutes=-1)), B.RELEASE)
        change = decide(state, released(state))
        assert (change.moved, change.statuses, change.stock) == ((), (), ())

    def test_work_whose_day_passed_is_sourced_again(self) -> None:
        state = held(late(working(a=2), timedelta()), B.RELEASE)
        change = decide(state, released(state))
        after = apply(state, change)
        assert after.waiting == {"a": 2}
        assert [move.status for move in change.statuses] == [S.RECALLED]
        assert [type(each) for each in change.stock] == [ReleaseStock, GiveDayBack]
        assert isinstance(change.event.data, HoldData)
        assert change.event.data.recalled

    def test_another_hold_that_blocks_it_keeps_it(self) -> None:
        state = held(held(late(working(a=2), timedelta()), B.RELEASE), B.RELEASE, type_="address")
        first = ReleaseHold(hold_id=next(iter(state.holds)), actor="ada", at=AT)
        assert decide(state, first).statuses == ()


def test_it_is_overdue_once() -> None:
    state = held(working(a=1), B.RELEASE)
    (hold,) = state.holds
    state = replace(state, holds={hold: replace(state.holds[hold], due_at=AT)})
    change = decide(state, HoldIsOverdue(hold_id=hold, at=AT))
    assert [each.kind for each in change.troubles] == [ExceptionKind.HOLD_OVERDUE]
    with pytest.raises(StepNotPossible):
        decide(apply(state, change), HoldIsOverdue(hold_id=hold, at=AT))
