"""Goods that a carrier brings to a store: handed over once, ready there once, and then as any pick-up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dom.exceptions import ExceptionKind
from dom.fulfilment.carrier_reports import booking_stands, needs_booking
from dom.fulfilment.carrier_reports import is_known as says_nothing
from dom.notifications.messages import MessageKind
from dom.orders.asked import CancellationEnd, CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.changes import ConsumeStock, GiveDayBack, ReceiveAtStore, ReleaseStock
from dom.orders.lifecycle import OrderState
from dom.orders.pickup import Pickup
from dom.orders.pickup_commands import ExpireCollection, PutBack
from dom.orders.status import CarrierEventKind, OrderStatus
from dom.orders.transitions import apply, decide, is_known, settled
from dom.shared.errors import Forbidden, StepNotPossible, WrongCode
from tests.worlds.commanding import AT, S, Step, arrived, booked, cancel, parcel, step, working

WAITING = Pickup(code="222222", collect_by=AT + timedelta(days=7))


def to_store(status: S = S.RELEASED, **lines: int) -> OrderState:
    """An order whose units are all in one fulfilment, F1, that a carrier brings to York."""
    state = working(status, pickup=False, **(lines or {"a": 2}))
    state.fulfilments["F1"] = replace(state.fulfilments["F1"], pickup_node="york")
    return state


def after(state: OrderState, *commands: Any) -> OrderState:
    for command in commands:
        state = apply(state, decide(state, command))
    return state


DELIVERED = parcel(S.DELIVERED).model_copy(update={"collection": WAITING})


def ready(**lines: int) -> OrderState:
    return after(to_store(S.HANDED_OVER, **lines), DELIVERED)


def test_the_node_packs_and_hands_over_as_any_parcel() -> None:
    packed = decide(to_store(S.PICKED), step(Step.PACK))
    assert (packed.statuses[0].status, packed.waits, packed.stock) == (S.PACKED, None, ())
    with pytest.raises(StepNotPossible):
        decide(to_store(S.PACKED), step(Step.COLLECT, code="222222"))
    state = after(to_store(S.PACKED), booked("F1"))
    assert decide(state, step(Step.HAND_OVER)).stock == (ConsumeStock("F1"),)


def test_what_is_delivered_is_ready_and_reserved_at_the_store() -> None:
    change = decide(to_store(S.HANDED_OVER), DELIVERED)
    assert change.stock == (ReceiveAtStore("F1"),)
    assert (change.event.kind, change.event.key) == ("fulfilment_ready_for_collection", "F1:1:ready_for_collection")
    assert [told.kind for told in change.notifications] == [MessageKind.READY_FOR_COLLECTION]
    assert change.waits == ("F1", WAITING)
    state = apply(to_store(S.HANDED_OVER), change)
    work = state.fulfilments["F1"]
    assert (work.status, work.place, work.node_id, work.collection) == (S.READY, "york", "dc", WAITING)
    assert state.status() is OrderStatus.SHIPPED


def test_an_order_does_not_go_back_while_goods_wait_at_the_store() -> None:
    assert to_store(S.HANDED_OVER).status() is OrderStatus.SHIPPED
    assert ready().status() is OrderStatus.SHIPPED
    assert working(S.READY, pickup=True, a=1).status() is OrderStatus.IN_FULFILMENT
    assert after(ready(), step(Step.COLLECT, code="222222")).status() is OrderStatus.DELIVERED


@pytest.mark.parametrize("status", sorted(set(S) - {S.HANDED_OVER}))
def test_nothing_comes_from_elsewhere_than_the_carrier(status: S) -> None:
    with pytest.raises(StepNotPossible):
        decide(to_store(status), DELIVERED)


def test_what_is_said_again_is_known() -> None:
    for state in (
        ready(),
        after(ready(), step(Step.COLLECT, code="222222")),
        after(ready(), ExpireCollection(fulfilment_id="F1", at=WAITING.collect_by)),
        after(ready(), cancel(), PutBack(fulfilment_id="F1", actor="york", at=AT)),
    ):
        work = state.fulfilments["F1"]
        assert is_known(state, DELIVERED)
        assert booking_stands(work)
        assert needs_booking(work)
        for kind in (CarrierEventKind.IN_TRANSIT, CarrierEventKind.DELIVERED, CarrierEventKind.DELIVERY_FAILED):
            assert says_nothing(work, kind)
        for kind in (CarrierEventKind.LOST, CarrierEventKind.REFUSED, CarrierEventKind.RETURNED_TO_SENDER):
            assert not says_nothing(work, kind)
            assert not is_known(state, parcel(S.LOST))
    for repeated in (Step.ACCEPT, Step.PICK, Step.PACK, Step.HAND_OVER):
        assert is_known(ready(), step(repeated))


def test_of_a_plain_pick_up_no_booking_stands() -> None:
    work = working(S.READY, pickup=True, a=1).fulfilments["F1"]
    assert not needs_booking(work)
    assert not is_known(working(S.READY, pickup=True, a=1), step(Step.HAND_OVER))


def test_it_is_given_out_for_the_code_alone() -> None:
    with pytest.raises(WrongCode):
        decide(ready(), step(Step.COLLECT, code="333333"))
    assert decide(ready(), step(Step.COLLECT, code="222222")).stock == (ConsumeStock("F1"),)


def test_what_nobody_collects_is_released_and_to_be_put_back() -> None:
    change = decide(ready(a=2, b=1), ExpireCollection(fulfilment_id="F1", at=WAITING.collect_by))
    released, day = change.stock
    assert isinstance(released, ReleaseStock)
    assert (released.units, day) == ({"a": 2, "b": 1}, GiveDayBack("F1"))
    ended = apply(ready(a=2, b=1), change)
    assert (ended.status(), ended.fulfilments["F1"].put_back) == (OrderStatus.CANCELLED, False)
    assert ended.fulfilments["F1"].place == "york"


def test_a_part_is_cancelled_at_the_store() -> None:
    change = decide(ready(a=2), cancel({"a": 1}))
    assert change.statuses == ()
    assert [type(each) for each in change.stock] == [ReleaseStock]


@pytest.mark.parametrize("status", [S.LOST, S.RETURNED])
def test_a_parcel_that_does_not_arrive_is_as_any_other(status: S) -> None:
    there, plain = decide(to_store(S.HANDED_OVER), parcel(status)), decide(working(S.HANDED_OVER, a=2), parcel(status))
    assert there == plain


def test_a_lost_one_that_arrives_is_ready_at_the_store() -> None:
    lost = after(to_store(S.HANDED_OVER), parcel(S.LOST))
    assert lost.waiting == {"a": 2}
    found = arrived(begun=True).model_copy(update={"collection": WAITING})
    change = decide(lost, found)
    assert change.stock == (ReceiveAtStore("F1"),)
    assert change.event.data.model_dump(exclude_none=True) == {
        "fulfilment_id": "F1", "taken_back": {}, "waited": {"a": 2}, "collect_by": WAITING.collect_by,
    }  # fmt: skip
    state = apply(lost, change)
    assert (state.fulfilments["F1"].status, state.waiting) == (S.READY, {})
    assert is_known(state, found)


def test_whoever_has_the_goods_may_cancel_them() -> None:
    assert decide(ready(), cancel(nodes=("york",))).cancelled == {"a": 2}
    with pytest.raises(Forbidden, match="york"):
        decide(ready(), cancel(nodes=("dc",)))
    with pytest.raises(Forbidden, match="dc"):
        decide(to_store(S.PACKED), cancel(nodes=("york",)))


def test_a_carrier_that_was_asked_for_it_and_brings_it_to_the_store_has_refused() -> None:
    """A person hears of it: the goods can be cancelled at the store now."""
    asked = after(to_store(S.HANDED_OVER), cancel(mode=CancelMode.ASK), DELIVERED)
    change = settled(asked, AT)
    assert change is not None
    (ended,), (trouble,) = change.ended, change.troubles
    assert (ended.status, ended.end) == (CancellationStatus.REFUSED, CancellationEnd.DELIVERED)
    assert (trouble.kind, trouble.data["node_id"]) == (ExceptionKind.CANCELLATION_NOT_GRANTED, "york")
