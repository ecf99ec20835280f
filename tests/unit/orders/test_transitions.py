"""What may happen to an order's units is decided once, and a change holds everything that is to be written of it."""

import pytest

from dom.notifications.messages import MessageKind
from dom.orders.changes import (
    CANCELLED,
    WAITING,
    ConsumeStock,
    GiveDayBack,
    MovedUnits,
    ReleaseStock,
)
from dom.orders.commands import (
    BookCarrierRefused,
    CancelRest,
    GiveUpWaiting,
    TakeNodeStep,
)
from dom.orders.events import CancelledData, FulfilmentData
from dom.orders.lifecycle import FulfilmentState
from dom.orders.status import NodeReason, OrderStatus
from dom.orders.transitions import apply, decide, is_known
from dom.shared.access import NETWORK, TEMPORAL
from dom.shared.errors import CannotCancel, InvalidInput, NotFound, StepNotPossible
from tests.worlds.commanding import AT, S, Step, arrived, booked, cancel, order, parcel, step, working


class TestNodeSteps:
    def test_accept_moves_nothing_but_the_status(self) -> None:
        change = decide(working(a=2), step(Step.ACCEPT))
        assert [(move.fulfilment_id, move.status) for move in change.statuses] == [("F1", S.ACCEPTED)]
        assert (change.moved, change.stock, change.notifications, change.troubles) == ((), (), (), ())
        assert (change.event.kind, change.event.key) == ("fulfilment_accepted", "F1:1:accepted")
        assert apply(working(a=2), change).status() is OrderStatus.IN_FULFILMENT

    def test_hand_over_consumes_the_stock_and_is_told(self) -> None:
        state = working(S.BOOKED, a=2)
        change = decide(state, step(Step.HAND_OVER))
        assert change.stock == (ConsumeStock("F1"),)
        assert [(told.kind, told.message_key) for told in change.notifications] == [
            (MessageKind.SHIPPED, "F1:handed_over")
        ]
        assert apply(state, change).status() is OrderStatus.SHIPPED

    def test_a_short_pick_goes_on_with_what_was_found(self) -> None:
        state = working(a=3, b=2)
        change = decide(state, step(Step.PICK, found={"a": 1, "b": 2}))
        assert change.statuses[0].status is S.PICKED
        assert change.moved == (MovedUnits("a", 2, "F1", WAITING),)
        assert change.stock == (ReleaseStock("F1", {"a": 2}, "F1:1:short", "short pick", NodeReason.NOT_FOUND),)
        assert change.event.data == FulfilmentData(fulfilment_id="F1", found={"a": 1, "b": 2}, missing={"a": 2})
        assert apply(state, change).status() is OrderStatus.IN_FULFILMENT

    def test_nothing_found_is_a_rejection(self) -> None:
        change = decide(working(a=3), step(Step.PICK, found={"a": 0}))
        assert (change.statuses[0].status, change.event.reason) == (S.REJECTED, "nothing was found")
        assert change.stock == (
            ReleaseStock("F1", {"a": 3}, "F1:1:short", "short pick", NodeReason.NOT_FOUND),
            GiveDayBack("F1"),
        )
        assert apply(working(a=3), change).status() is OrderStatus.BACKORDERED

    def test_what_is_damaged_stays_at_the_node_and_cannot_be_sold(self) -> None:
        state = working(a=3, b=2)
        change = decide(state, step(Step.PICK, found={"a": 1, "b": 2}, why=NodeReason.DAMAGED))
        assert change.stock == (ReleaseStock("F1", {"a": 2}, "F1:1:short", "damaged", NodeReason.DAMAGED),)
        assert change.event.data == FulfilmentData(
            fulfilment_id="F1", found={"a": 1, "b": 2}, missing={"a": 2}, reason_code=NodeReason.DAMAGED
        )

    @pytest.mark.parametrize("why", [NodeReason.NOT_FOUND, NodeReason.DAMAGED])
    def test_a_rejection_for_all_goods_corrects_all(self, why: NodeReason) -> None:
        change = decide(working(a=3), step(Step.REJECT, why=why))
        (let_go, day) = change.stock
        assert isinstance(let_go, ReleaseStock)
        assert (dict(let_go.units), let_go.wrong, day) == ({"a": 3}, why, GiveDayBack("F1"))
        assert apply(working(a=3), change).waiting == {"a": 3}

    def test_a_rejection_for_some_goods_corrects_those_and_gives_the_rest_back(self) -> None:
        state = working(a=3, b=2)
        change = decide(state, step(Step.REJECT, why=NodeReason.NOT_FOUND, found={"a": 1, "b": 2}))
        assert change.stock == (
            ReleaseStock("F1", {"a": 2}, "F1:1:short", "short pick", NodeReason.NOT_FOUND),
            ReleaseStock("F1", {"a": 1, "b": 2}, "F1:1:rejected", "rejected by the node"),
            GiveDayBack("F1"),
        )
        after = apply(state, change)
        assert (after.waiting, after.fulfilments["F1"].lines) == ({"a": 3, "b": 2}, {"a": 1, "b": 2})

    def test_a_rejection_for_another_reason_corrects_nothing(self) -> None:
        change = decide(working(a=3), step(Step.REJECT, why=NodeReason.NO_CAPACITY))
        assert change.stock == (
            ReleaseStock("F1", {"a": 3}, "F1:1:rejected", "rejected by the node"),
            GiveDayBack("F1"),
        )

    @pytest.mark.parametrize(
        ("taken", "why", "found"),
        [
            (Step.ACCEPT, NodeReason.OTHER, None),
            (Step.PICK, NodeReason.CLOSED, {"a": 1}),
            (Step.PICK, NodeReason.DAMAGED, None),
            (Step.PICK, NodeReason.DAMAGED, {"a": 3}),
            (Step.REJECT, NodeReason.DAMAGED, {"a": 3}),
        ],
    )
    def test_a_reason_is_given_for_something(self, taken: Step, why: NodeReason, found: dict[str, int] | None) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(working(a=3), step(taken, why=why, found=found))
        assert refused.value.field == "reason_code"

    def test_a_rejection_for_goods_names_every_line(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(working(a=3, b=1), step(Step.REJECT, why=NodeReason.DAMAGED, found={"a": 3}))
        assert refused.value.field == "lines"

    def test_a_rejection_gives_everything_back_and_names_the_node_that_failed(self) -> None:
        change = decide(working(a=3), step(Step.REJECT, reason="no time"))
        assert change.stock == (ReleaseStock("F1", {"a": 3}, "F1:1:rejected", "no time"), GiveDayBack("F1"))
        after = apply(working(a=3), change)
        assert (after.waiting, after.fulfilments["F1"].lines) == ({"a": 3}, {"a": 3})

    def test_what_the_network_rejects_is_no_failure_of_the_node(self) -> None:
        command = TakeNodeStep(fulfilment_id="F1", step=Step.REJECT, actor=NETWORK, at=AT, if_unbegun=True)
        assert decide(working(a=1), command).event.actor == NETWORK
        with pytest.raises(StepNotPossible, match="has begun"):
            decide(working(S.ACCEPTED, a=1), command)

    @pytest.mark.parametrize(
        ("found", "field"), [({"a": 1, "z": 1}, "lines[1].line_id"), ({"a": 4}, "lines[0].quantity")]
    )
    def test_a_pick_finds_only_what_was_to_be_picked(self, found: dict[str, int], field: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(working(a=3), step(Step.PICK, found=found))
        assert refused.value.field == field
        state = working(a=3)
        state = apply(state, decide(state, cancel({"a": 1})))
        with pytest.raises(StepNotPossible, match="2 of line a are to be picked, not 3"):
            decide(state, step(Step.PICK, found={"a": 3}))

    @pytest.mark.parametrize(("found", "unnamed"), [({"b": 1}, ["a", "c"]), ({}, ["a", "b", "c"])])
    def test_a_pick_names_every_line(self, found: dict[str, int], unnamed: list[str]) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(working(a=3, b=2, c=1), step(Step.PICK, found=found))
        assert (refused.value.field, refused.value.data) == ("lines", {"missing_lines": unnamed})

    def test_a_line_that_was_cancelled_need_not_be_named(self) -> None:
        state = working(a=3, b=2)
        state = apply(state, decide(state, cancel({"b": 2})))
        for found in ({"a": 3}, {"a": 3, "b": 0}):
            assert decide(state, step(Step.PICK, found=found)).event.data == FulfilmentData(
                fulfilment_id="F1", found={"a": 3}
            )

    @pytest.mark.parametrize("cancelled", [False, True])
    def test_a_pick_said_again_is_known_only_as_it_was_said(self, cancelled: bool) -> None:
        """Whatever was cancelled of it since."""
        state = working(a=3, b=2)
        state = apply(state, decide(state, step(Step.PICK, found={"a": 2, "b": 0})))
        if cancelled:  # one that waits for stock, and one that was picked
            state = apply(state, decide(state, cancel({"a": 2})))
        assert is_known(state, step(Step.PICK, found={"a": 2, "b": 0}))
        for found in ({"a": 3, "b": 0}, {"a": 0, "b": 0}, {"a": 2, "b": 1}, None):
            again = step(Step.PICK, found=found)
            assert not is_known(state, again)
            with pytest.raises(StepNotPossible) as refused:
                decide(state, again)
            assert refused.value.data == {"picked": {"a": 2}}

    @pytest.mark.parametrize("first", [step(Step.PICK), step(Step.PACK)])
    def test_all_picked_is_said_with_and_without_lines(self, first: TakeNodeStep) -> None:
        state = working(a=3)
        state = apply(state, decide(state, first))
        assert is_known(state, step(Step.PICK))
        assert is_known(state, step(Step.PICK, found={"a": 3}))
        assert not is_known(state, step(Step.PICK, found={"a": 2}))

    @pytest.mark.parametrize("found", [{"a": 3, "z": 0}, {"a": 3, "z": 1}])
    def test_a_line_that_is_not_there_is_refused_of_a_repeat_too(self, found: dict[str, int]) -> None:
        state = working(S.PACKED, a=3)
        assert not is_known(state, step(Step.PICK, found=found))
        with pytest.raises(InvalidInput) as refused:
            decide(state, step(Step.PICK, found=found))
        assert refused.value.field == "lines[1].line_id"

    def test_an_unknown_fulfilment_is_named(self) -> None:
        with pytest.raises(NotFound, match="F7"):
            decide(working(a=1), step(Step.ACCEPT, "F7"))

    @pytest.mark.parametrize("status", [S.CANCELLED, S.RECALLED, S.REJECTED, S.LOST, S.RETURNED, S.DELIVERED])
    @pytest.mark.parametrize("taken", [Step.ACCEPT, Step.PICK, Step.PACK, Step.HAND_OVER, Step.COLLECT])
    def test_work_that_is_over_takes_no_step(self, status: S, taken: Step) -> None:
        with pytest.raises(StepNotPossible, match=status):
            decide(working(status, a=1), step(taken))


class TestParcels:
    @pytest.mark.parametrize("status", [S.DELIVERED, S.LOST, S.RETURNED])
    @pytest.mark.parametrize("before", sorted(set(S) - {S.HANDED_OVER}))
    def test_nothing_becomes_of_a_parcel_that_is_not_under_way(self, status: S, before: S) -> None:
        with pytest.raises(StepNotPossible):
            decide(working(before, a=1), parcel(status))

    def test_lost_units_wait_again_and_a_person_is_told(self) -> None:
        state = working(S.HANDED_OVER, a=2, b=1)
        change = decide(state, parcel(S.LOST))
        assert change.waiting == {"a": 2, "b": 1}
        assert not change.unlisted
        assert [(t.kind, t.key, t.data["units"]) for t in change.troubles] == [
            ("parcel_lost", "F1:lost", {"A": 2, "B": 1})
        ]
        assert apply(state, change).status() is OrderStatus.BACKORDERED

    def test_returned_units_are_cancelled_and_told_of(self) -> None:
        change = decide(working(S.HANDED_OVER, a=2), parcel(S.RETURNED))
        assert (change.cancelled, change.waiting) == ({"a": 2}, {})
        assert [told.kind for told in change.notifications] == [MessageKind.RETURNED_TO_SENDER]
        assert not change.is_cancellation
        assert apply(working(S.HANDED_OVER, a=2), change).status() is OrderStatus.CANCELLED

    def test_a_refused_booking_goes_back_to_sourcing(self) -> None:
        change = decide(working(S.PACKED, a=1), BookCarrierRefused(fulfilment_id="F1", attempt=0, reason="no", at=AT))
        assert change.waiting == {"a": 1}
        assert change.event.actor == "carrier"
        with pytest.raises(StepNotPossible):
            decide(working(S.PICKED, a=1), BookCarrierRefused(fulfilment_id="F1", attempt=0, reason="no", at=AT))
        with pytest.raises(StepNotPossible):  # packed anew meanwhile
            decide(working(S.PACKED, a=1), BookCarrierRefused(fulfilment_id="F1", attempt=1, reason="no", at=AT))

    @pytest.mark.parametrize(
        ("status", "needed", "after"),
        [(S.PACKED, True, S.BOOKED), (S.PACKED, False, S.PACKED), (S.CANCELLED, True, S.CANCELLED)],
    )
    def test_a_booking_counts_only_for_what_still_needs_it(self, status: S, needed: bool, after: S) -> None:
        state = working(status, a=1)
        change = decide(state, booked("F1").model_copy(update={"is_needed": needed}))
        assert apply(state, change).fulfilments["F1"].status is after
        assert change.event.key == "F1-B1"

    def test_of_a_lost_one_that_arrived_the_replacement_stays(self) -> None:
        state = apply(working(S.HANDED_OVER, a=3), decide(working(S.HANDED_OVER, a=3), parcel(S.LOST)))
        state.add(FulfilmentState("F2", "wh", pickup=False, lines={"a": 2}))
        change = decide(state, arrived())
        assert change.moved == (MovedUnits("a", 1, WAITING, "F1"), MovedUnits("a", 2, "F2", "F1"))
        assert {move.fulfilment_id: move.status for move in change.statuses} == {"F1": S.DELIVERED, "F2": S.CANCELLED}
        assert change.stock == (ReleaseStock("F2", {"a": 2}, "F2:F1:2:delivered", "arrived"), GiveDayBack("F2"))
        assert change.event.data == FulfilmentData(fulfilment_id="F1", taken_back={"F2": {"a": 2}}, waited={"a": 1})
        assert (apply(state, change).status(), change.gives_up_waiting) == (OrderStatus.DELIVERED, True)

    def test_one_whose_replacement_was_begun_needs_a_person(self) -> None:
        state = working(S.LOST, a=1)
        state.lines["a"].backordered = 1
        state.add(FulfilmentState("F2", "wh", pickup=False, lines={"a": 1}, status=S.PICKED))
        with pytest.raises(StepNotPossible) as refused:
            decide(state, arrived())
        assert refused.value.data == {"living": {"F2": S.PICKED}}
        assert apply(state, decide(state, arrived(begun=True))).status() is OrderStatus.DELIVERED


class TestCancelling:
    def test_ends_the_work_of_which_nothing_is_left(self) -> None:
        state = working(a=1, b=1)
        first = decide(state, cancel({"a": 1}))
        assert (first.statuses, first.stock) == (
            (),
            (ReleaseStock("F1", {"a": 1}, "F1:cancelled:1", "asked"),),
        )
        state = apply(state, first)
        second = decide(state, cancel({"b": 1}))
        assert [(move.fulfilment_id, move.status) for move in second.statuses] == [("F1", S.CANCELLED)]
        assert second.stock[-1] == GiveDayBack("F1")
        assert (second.event.key, apply(state, second).status()) == ("cancelled:2", OrderStatus.CANCELLED)

    @pytest.mark.parametrize("status", [S.PACKED, S.BOOKED])
    def test_packs_anew_what_is_left(self, status: S) -> None:
        change = decide(working(status, a=2), cancel({"a": 1}))
        assert [(move.fulfilment_id, move.status) for move in change.statuses] == [("F1", S.PICKED)]

    def test_keeps_the_callers_request_with_the_event(self) -> None:
        command = cancel().model_copy(update={"request": "key", "request_hash": "hash"})
        assert decide(working(a=2), command).event.data == CancelledData(
            lines={"a": 2}, request="key", request_hash="hash"
        )

    def test_a_line_without_units_is_all_that_is_left_of_it(self) -> None:
        state = working(a=3, b=1)
        state = apply(state, decide(state, cancel({"a": 1})))
        assert decide(state, cancel({"a": None})).cancelled == {"a": 2}
        state = apply(state, decide(state, cancel({"a": None})))
        with pytest.raises(CannotCancel):
            decide(state, cancel({"a": None}))

    def test_the_rest_leaves_what_left_its_node(self) -> None:
        state = working(S.HANDED_OVER, a=2)
        with pytest.raises(CannotCancel):
            decide(state, CancelRest(actor=TEMPORAL, at=AT))
        state.lines["a"].quantity, state.lines["a"].backordered = 3, 1
        assert decide(state, CancelRest(actor=TEMPORAL, at=AT)).cancelled == {"a": 1}

    def test_giving_up_takes_only_what_waits(self) -> None:
        state = order(a=3)
        state.add(FulfilmentState("F1", "dc", pickup=False, lines={"a": 1}))
        change = decide(state, GiveUpWaiting(at=AT, reason="no stock"))
        assert change.moved == (MovedUnits("a", 2, WAITING, CANCELLED),)
        assert change.notifications[0].context["gave_up"] is True
        with pytest.raises(StepNotPossible):
            decide(working(a=1), GiveUpWaiting(at=AT, reason="no stock"))
