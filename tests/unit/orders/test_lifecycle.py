"""Where an order's units stand, which step may follow, and which units a cancellation takes."""

from itertools import product

import pytest

from dom.orders.lifecycle import CancelledUnits, FulfilmentState, LineState, OrderState, after_step, is_repeat
from dom.orders.status import SOURCED_ANEW, FulfilmentStatus, FulfilmentStep, OrderStatus
from dom.shared.errors import CannotCancel, StepNotPossible

S = FulfilmentStatus
Step = FulfilmentStep
Status = OrderStatus


def order(**lines: int) -> OrderState:
    """An order whose units all wait: `order(a=3, b=1)`."""
    waiting = {i: LineState(i, i.upper(), quantity, 100, backordered=quantity) for i, quantity in lines.items()}
    return OrderState(order_id="web-1", lines=waiting)


def with_work(status: S, *, waiting: int = 0, cancelled: int = 0) -> OrderState:
    """One unit in work at that status, and some that wait or are cancelled."""
    state = order(a=1 + waiting + cancelled)
    state.add(FulfilmentState("F1", "dc", pickup=False, lines={"a": 1}, status=status))
    if cancelled:
        state.lines["a"].cancelled, state.lines["a"].backordered = cancelled, waiting
    return state


def with_two(first: S, second: S) -> OrderState:
    state = order(a=2)
    state.add(FulfilmentState("F1", "dc", pickup=False, lines={"a": 1}, status=first))
    state.add(FulfilmentState("F2", "wh", pickup=False, lines={"a": 1}, status=second))
    return state


# status -> step -> where it leads; what is not here is not possible.
TO_THE_CARRIER = {
    S.RELEASED: {Step.ACCEPT: S.ACCEPTED, Step.PICK: S.PICKED, Step.PACK: S.PACKED, Step.REJECT: S.REJECTED},
    S.ACCEPTED: {Step.PICK: S.PICKED, Step.PACK: S.PACKED, Step.REJECT: S.REJECTED},
    S.PICKED: {Step.PACK: S.PACKED},
    S.PACKED: {},
    S.BOOKED: {Step.HAND_OVER: S.HANDED_OVER},
    S.HANDED_OVER: {},
}
TO_THE_COUNTER = {
    S.RELEASED: {Step.ACCEPT: S.ACCEPTED, Step.PICK: S.PICKED, Step.PACK: S.READY, Step.REJECT: S.REJECTED},
    S.ACCEPTED: {Step.PICK: S.PICKED, Step.PACK: S.READY, Step.REJECT: S.REJECTED},
    S.PICKED: {Step.PACK: S.READY},
    S.READY: {Step.COLLECT: S.COLLECTED},
}


NO_PARCEL, NO_PICK_UP = {S.READY}, {S.PACKED, S.BOOKED, S.HANDED_OVER}
PARCELS = [(status, step) for status, step in product(S, Step) if status not in NO_PARCEL]
PICK_UPS = [(status, step) for status, step in product(S, Step) if status not in NO_PICK_UP]


class TestAfterStep:
    @pytest.mark.parametrize(("status", "step"), PARCELS)
    def test_a_parcel_goes_where_the_table_says_or_nowhere(self, status: S, step: Step) -> None:
        self.check(status, step, TO_THE_CARRIER.get(status, {}).get(step), pickup=False)

    @pytest.mark.parametrize(("status", "step"), PICK_UPS)
    def test_a_pick_up_goes_where_the_table_says_or_nowhere(self, status: S, step: Step) -> None:
        self.check(status, step, TO_THE_COUNTER.get(status, {}).get(step), pickup=True)

    def check(self, status: S, step: Step, target: S | None, *, pickup: bool) -> None:
        if target is not None:
            assert after_step(status, step, pickup=pickup) is target
        else:
            with pytest.raises(StepNotPossible):
                after_step(status, step, pickup=pickup)


KNOWN = {
    Step.ACCEPT: {S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.READY, S.HANDED_OVER, S.DELIVERED, S.COLLECTED},
    Step.PICK: {S.PICKED, S.PACKED, S.BOOKED, S.READY, S.HANDED_OVER, S.DELIVERED, S.COLLECTED},
    Step.PACK: {S.PACKED, S.BOOKED, S.READY, S.HANDED_OVER, S.DELIVERED, S.COLLECTED},
    Step.HAND_OVER: {S.HANDED_OVER, S.DELIVERED, S.COLLECTED},
    Step.COLLECT: {S.DELIVERED, S.COLLECTED},
    Step.REJECT: {S.REJECTED},
}


class TestIsRepeat:
    @pytest.mark.parametrize(("status", "step"), list(product(S, Step)))
    def test_says_what_is_known_already(self, status: S, step: Step) -> None:
        assert is_repeat(status, step) == (status in KNOWN[step])

    @pytest.mark.parametrize("table", [TO_THE_CARRIER, TO_THE_COUNTER], ids=["parcel", "pick-up"])
    def test_what_leads_somewhere_is_no_repeat_until_it_did(self, table: dict[S, dict[Step, S]]) -> None:
        for status, steps in table.items():
            for step, target in steps.items():
                assert not is_repeat(status, step)
                assert is_repeat(target, step)


class TestOrderStatus:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (order(a=1), Status.BACKORDERED),
            (with_work(S.RELEASED), Status.ACCEPTED),
            (with_work(S.ACCEPTED), Status.IN_FULFILMENT),
            (with_work(S.PICKED), Status.IN_FULFILMENT),
            (with_work(S.PACKED), Status.IN_FULFILMENT),
            (with_work(S.BOOKED), Status.IN_FULFILMENT),
            (with_work(S.READY), Status.IN_FULFILMENT),
            (with_work(S.HANDED_OVER), Status.SHIPPED),
            (with_work(S.DELIVERED), Status.DELIVERED),
            (with_work(S.COLLECTED), Status.DELIVERED),
            (with_work(S.RELEASED, waiting=1), Status.ACCEPTED),
            (with_work(S.PICKED, waiting=1), Status.IN_FULFILMENT),
            (with_work(S.HANDED_OVER, waiting=1), Status.PART_SHIPPED),
            (with_work(S.DELIVERED, waiting=1), Status.PART_SHIPPED),
            (with_work(S.DELIVERED, cancelled=1), Status.DELIVERED),
            (with_work(S.HANDED_OVER, cancelled=1), Status.SHIPPED),
            (with_two(S.RELEASED, S.HANDED_OVER), Status.PART_SHIPPED),
            (with_two(S.PICKED, S.DELIVERED), Status.PART_SHIPPED),
            (with_two(S.HANDED_OVER, S.DELIVERED), Status.SHIPPED),
            (with_two(S.DELIVERED, S.COLLECTED), Status.DELIVERED),
            (with_two(S.RELEASED, S.PACKED), Status.IN_FULFILMENT),
        ],
    )
    def test_is_worked_out_of_the_units(self, state: OrderState, expected: OrderStatus) -> None:
        assert state.status() is expected

    @pytest.mark.parametrize(
        ("ended", "expected"),
        [
            (S.REJECTED, Status.BACKORDERED),
            (S.LOST, Status.BACKORDERED),
            (S.RETURNED, Status.CANCELLED),
            (S.CANCELLED, Status.CANCELLED),
        ],
    )
    def test_without_living_work_something_waits_or_all_is_over(self, ended: S, expected: OrderStatus) -> None:
        state = with_work(ended)
        state.lines["a"].backordered = int(ended in SOURCED_ANEW)
        assert state.status() is expected

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (order(a=1), Status.ACCEPTED),
            (with_work(S.RELEASED, waiting=1), Status.ACCEPTED),
            (with_work(S.PICKED, waiting=1), Status.IN_FULFILMENT),
            (with_work(S.DELIVERED, waiting=1), Status.PART_SHIPPED),
        ],
    )
    def test_with_new_work_is_what_it_will_be_once_the_work_is_there(
        self, state: OrderState, expected: OrderStatus
    ) -> None:
        state.add(FulfilmentState("F9", "wh", pickup=False, lines={"a": 1}))
        assert state.status() is expected


class TestCancellation:
    def test_takes_waiting_units_first_then_the_least_advanced(self) -> None:
        state = order(a=6)
        state.add(FulfilmentState("F1", "dc", pickup=False, lines={"a": 2}, status=S.PACKED))
        state.add(FulfilmentState("F2", "wh", pickup=False, lines={"a": 2}, status=S.RELEASED))
        assert state.plan_cancellation({"a": 5}) == (
            CancelledUnits("a", 2, None),
            CancelledUnits("a", 2, "F2"),
            CancelledUnits("a", 1, "F1"),
        )

    def test_of_everything_leaves_what_is_cancelled_already_alone(self) -> None:
        state = with_work(S.PICKED, waiting=2, cancelled=1)
        assert state.plan_cancellation(None) == (CancelledUnits("a", 2, None), CancelledUnits("a", 1, "F1"))

    def test_planning_changes_nothing(self) -> None:
        state = with_work(S.PICKED, waiting=2)
        before = repr(state)
        state.plan_cancellation(None)
        assert repr(state) == before

    @pytest.mark.parametrize("status", [S.HANDED_OVER, S.DELIVERED, S.COLLECTED])
    def test_of_what_left_is_refused_whole_and_says_what_can_be_cancelled(self, status: S) -> None:
        state = with_work(status, waiting=2)
        for asked in (None, {"a": 3}):
            with pytest.raises(CannotCancel) as refused:
                state.plan_cancellation(asked)
            assert refused.value.data == {"cancellable": {"a": 2}}
        assert state.plan_cancellation({"a": 2}) == (CancelledUnits("a", 2, None),)

    @pytest.mark.parametrize("asked", [None, {}, {"a": 0}])
    def test_of_nothing_is_refused(self, asked: dict[str, int] | None) -> None:
        state = order(a=1)
        state.lines["a"].cancelled, state.lines["a"].backordered = 1, 0
        with pytest.raises(CannotCancel):
            state.plan_cancellation(asked)

    def test_of_an_unknown_line_is_refused(self) -> None:
        with pytest.raises(CannotCancel):
            order(a=1).plan_cancellation({"z": 1})


class TestReoptimisation:
    def split(self) -> OrderState:
        state = OrderState("web-1", {"1": LineState("1", "A", 5, 100, backordered=5)})
        state.add(FulfilmentState("web-1-F1", "leeds", False, {"1": 2}))
        state.add(FulfilmentState("web-1-F2", "london", False, {"1": 3}))
        return state

    def test_recalled_work_takes_no_step_and_is_not_cancelled(self) -> None:
        state = self.split()
        for each in state.fulfilments.values():
            each.status = S.RECALLED
        state.fulfilments["web-1-F3"] = FulfilmentState("web-1-F3", "leeds", False, {"1": 5})
        for step in Step:
            assert not is_repeat(S.RECALLED, step)
            with pytest.raises(StepNotPossible):
                after_step(S.RECALLED, step, pickup=False)
        assert {part.fulfilment_id for part in state.plan_cancellation(None)} == {"web-1-F3"}
