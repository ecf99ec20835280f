"""A return as a state machine: what each command changes, what is refused, and that no unit is in two places."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dom.orders.status import FINAL_RETURN, Disposition, ReturnStatus, ReturnStep
from dom.returns import (
    UNEXPECTED,
    Announce,
    CancelReturn,
    CloseReturn,
    Expect,
    ExpireReturn,
    Inspect,
    Receive,
    ReturnChange,
    ReturnCommand,
    ReturnedUnits,
    ReturnState,
    apply,
    decide,
    refund_amount,
)
from dom.shared.errors import DomError, InvalidInput, NothingToReturn, StepNotPossible
from tests.worlds.sourcing import MONDAY_NOON

RESTOCK, SCRAP = Disposition.RESTOCK, Disposition.SCRAP
LASTS = timedelta(days=30)
UNITS = st.dictionaries(st.sampled_from("123456"), st.integers(1, 50), min_size=1)
CANCEL, CLOSE, EXPIRE, ALL = CancelReturn(), CloseReturn(), ExpireReturn(), Receive()


def asking(**units: int) -> Announce:
    return Announce(lines=tuple((name[1:], quantity) for name, quantity in units.items()))


def came(**units: int) -> Receive:
    return Receive(lines=tuple((name[1:], quantity) for name, quantity in units.items()))


def found(*units: tuple[str, Disposition, int]) -> Inspect:
    return Inspect(found=units)


def before(**returnable: int) -> ReturnState:
    """A return that nobody asked for yet; lines l1, l2 ... with their returnable units, at 10 a unit."""
    lines = {name[1:]: ReturnedUnits(sku=name, unit_price=10, returnable=n) for name, n in returnable.items()}
    return ReturnState("web-1-R1", lines)


def after(state: ReturnState, *commands: ReturnCommand, at: datetime = MONDAY_NOON) -> ReturnState:
    """The return after these commands, each of which changes something."""
    for command in commands:
        change = decide(state, command, now=at, lasts=LASTS)
        assert change is not None, command
        state = apply(state, change)
    return state


OPEN = after(before(l1=3, l2=1), asking(l1=3, l2=1))
LATER = MONDAY_NOON + LASTS


PARCEL = after(replace(before(l1=0), parcel="web-1-F1"), Expect(lines=(("1", 3),)))


class TestAParcelThatComesBack:
    def test_is_expected_although_nothing_was_delivered(self) -> None:
        assert (PARCEL.status, PARCEL.outstanding, PARCEL.lines["1"].returnable) == (
            ReturnStatus.REQUESTED, {"1": 3}, 0,
        )  # fmt: skip

    def test_is_refunded_as_it_is_inspected(self) -> None:
        change = decide(after(PARCEL, ALL), found(("1", RESTOCK, 3)), now=MONDAY_NOON)
        assert change is not None
        assert (change.status, change.refund) == (ReturnStatus.REFUNDED, 30)

    def test_pays_nothing_back_once_its_units_were_sent_again(self) -> None:
        change = decide(after(replace(PARCEL, made_good=True), ALL), found(("1", RESTOCK, 3)), now=MONDAY_NOON)
        assert change is not None
        assert (change.step, change.status, change.refund) == (ReturnStep.PUT_AWAY, ReturnStatus.PUT_AWAY, 0)

    def test_does_not_count_as_refunded_in_parts_either(self) -> None:
        some = after(replace(PARCEL, made_good=True), Receive(lines=(("1", 2),)), found(("1", RESTOCK, 2)))
        assert (some.status, some.ended) == (ReturnStatus.PART_PUT_AWAY, False)
        assert after(some, CLOSE).status is ReturnStatus.PUT_AWAY

    def test_is_kept_by_nobody(self) -> None:
        with pytest.raises(StepNotPossible, match="its carrier brings back"):
            decide(PARCEL, CANCEL, now=MONDAY_NOON)
        with pytest.raises(StepNotPossible, match="expires by itself"):
            decide(PARCEL, CLOSE, now=MONDAY_NOON)

    def test_frees_no_unit_for_a_customer_s_return_where_it_does_not_come(self) -> None:
        state = after(PARCEL, EXPIRE, at=LATER)
        assert (state.status, state.lines["1"].returnable) == (ReturnStatus.EXPIRED, 0)


class TestRequested:
    @pytest.mark.parametrize("asked", [asking(l1=3), asking(l1=1, l2=1), asking(l2=1)])
    def test_delivered_units_may_come_back(self, asked: Announce) -> None:
        state = after(before(l1=3, l2=1), asked)
        assert (state.status, state.outstanding) == (ReturnStatus.REQUESTED, dict(asked.lines))
        assert state.expires_at == LATER

    @pytest.mark.parametrize(
        ("asked", "field", "returnable"),
        [
            (asking(l1=4), "lines[0].quantity", 3),
            (asking(l2=1, l1=4), "lines[1].quantity", 3),
            (asking(l3=1), "lines[0].quantity", 0),
            (asking(l4=1), "lines[0].quantity", 0),
        ],
    )
    def test_more_than_that_is_refused_with_what_is_left(self, asked: Announce, field: str, returnable: int) -> None:
        with pytest.raises(NothingToReturn) as refused:
            decide(before(l1=3, l2=1, l3=0, l4=-1), asked, now=MONDAY_NOON)
        assert (refused.value.field, refused.value.data) == (field, {"returnable": returnable})

    @pytest.mark.parametrize(
        ("asked", "field"),
        [(asking(l9=1), "lines[0].line_id"), (Announce(lines=(("1", 1), ("2", 1), ("1", 1))), "lines[2].line_id")],
    )
    def test_unknown_and_repeated_lines_are_wrong_input(self, asked: Announce, field: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(before(l1=3, l2=1), asked, now=MONDAY_NOON)
        assert refused.value.field == field


class TestReceived:
    def test_in_parts_each_of_which_is_waited_for_anew(self) -> None:
        tuesday = MONDAY_NOON + timedelta(days=1)
        state = after(OPEN, came(l1=1), at=tuesday)
        assert (state.status, state.outstanding) == (ReturnStatus.RECEIVED, {"1": 2, "2": 1})
        assert state.expires_at == tuesday + LASTS
        state = after(state, ALL)
        assert (state.outstanding, state.received) == ({}, {"1": 3, "2": 1})
        assert decide(state, ALL, now=MONDAY_NOON) is None, "there is nothing more that could arrive"

    @pytest.mark.parametrize(
        ("receipt", "field"),
        [
            (came(l1=4), "lines[0].quantity"),
            (came(l1=1, l9=1), "lines[1].quantity"),
            (Receive(lines=(("1", 1), ("1", 1))), "lines[1].line_id"),
        ],
    )
    def test_more_than_announced_is_wrong_input(self, receipt: Receive, field: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(OPEN, receipt, now=MONDAY_NOON)
        assert refused.value.field == field

    def test_more_than_is_outstanding_is_wrong_input(self) -> None:
        with pytest.raises(InvalidInput):
            decide(after(OPEN, came(l1=2)), came(l1=2), now=MONDAY_NOON)

    @pytest.mark.parametrize("end", [CANCEL, EXPIRE])
    @pytest.mark.parametrize(("receipt", "units"), [(came(l1=2), {"1": 2}), (ALL, {"1": 3, "2": 1})])
    def test_what_was_let_go_is_refused_by_name(
        self, end: ReturnCommand, receipt: Receive, units: Mapping[str, int]
    ) -> None:
        with pytest.raises(StepNotPossible) as refused:
            decide(after(OPEN, end, at=LATER), receipt, now=LATER)
        assert refused.value.data[UNEXPECTED] == units


class TestInspected:
    def test_in_parts_each_of_which_is_refunded(self) -> None:
        state = after(OPEN, came(l1=2))
        change = decide(state, found(("1", RESTOCK, 1)), now=MONDAY_NOON)
        assert change is not None
        assert (change.refund, change.status) == (10, ReturnStatus.RECEIVED)
        state = after(state, found(("1", RESTOCK, 1)), found(("1", SCRAP, 1)))
        assert state.status is ReturnStatus.PART_REFUNDED
        state = after(state, ALL, found(("1", SCRAP, 1), ("2", RESTOCK, 1)))
        assert (state.status, state.expires_at) == (ReturnStatus.REFUNDED, None)

    @pytest.mark.parametrize(
        "units", [[("1", RESTOCK, 3)], [("1", RESTOCK, 1), ("1", SCRAP, 2)], [("2", SCRAP, 1)], [("9", SCRAP, 1)]]
    )
    def test_units_that_did_not_come_are_wrong(self, units: list[tuple[str, Disposition, int]]) -> None:
        with pytest.raises(InvalidInput, match="only received units"):
            decide(after(OPEN, came(l1=2)), found(*units), now=MONDAY_NOON)

    @pytest.mark.parametrize("commands", [(), (came(l2=1), found(("2", SCRAP, 1)))])
    def test_nothing_waits_for_it(self, commands: tuple[ReturnCommand, ...]) -> None:
        with pytest.raises(StepNotPossible):
            decide(after(OPEN, *commands), found(("1", RESTOCK, 1)), now=MONDAY_NOON)


class TestLetGo:
    @pytest.mark.parametrize(("end", "status"), [(CANCEL, ReturnStatus.CANCELLED), (EXPIRE, ReturnStatus.EXPIRED)])
    def test_before_anything_came(self, end: ReturnCommand, status: ReturnStatus) -> None:
        state = after(OPEN, end, at=LATER)
        assert (state.status, state.outstanding, state.expires_at) == (status, {}, None)
        assert {i: line.returnable for i, line in state.lines.items()} == {"1": 3, "2": 1}
        assert decide(state, end, now=LATER) is None, "twice is as good as once"

    @pytest.mark.parametrize("end", [CANCEL, CLOSE, EXPIRE])
    def test_what_came_is_still_inspected_and_refunded(self, end: ReturnCommand) -> None:
        state = after(after(OPEN, came(l1=1)), end, at=LATER)
        assert state.status is ReturnStatus.RECEIVED
        assert {i: line.returnable for i, line in state.lines.items()} == {"1": 2, "2": 1}
        state = after(state, found(("1", RESTOCK, 1)))
        assert (state.status, state.expires_at) == (ReturnStatus.REFUNDED, None)

    def test_by_time_a_person_hears_of_what_lies_uninspected(self) -> None:
        part = after(OPEN, came(l1=1))
        change = decide(part, EXPIRE, now=LATER)
        assert change is not None
        assert (change.step, change.released, change.neglected) == (ReturnStep.EXPIRED, {"1": 2, "2": 1}, True)
        whole = after(OPEN, ALL)
        change = decide(whole, EXPIRE, now=LATER)
        assert change is not None
        assert (change.step, change.released, change.neglected) == (ReturnStep.OVERDUE, {}, True)
        assert apply(whole, change).expires_at is None
        assert decide(apply(whole, change), EXPIRE, now=LATER + LASTS) is None

    def test_not_before_its_time(self) -> None:
        assert decide(OPEN, EXPIRE, now=LATER - timedelta(microseconds=1)) is None

    def test_a_return_of_which_nothing_came_is_not_closed(self) -> None:
        with pytest.raises(StepNotPossible, match="cancelled"):
            decide(OPEN, CLOSE, now=MONDAY_NOON)

    def test_what_has_come_is_not_cancelled(self) -> None:
        with pytest.raises(StepNotPossible):
            decide(after(OPEN, ALL), CANCEL, now=MONDAY_NOON)


class TestRefund:
    def test_is_the_price_that_was_paid(self) -> None:
        assert refund_amount({"1": 3, "2": 1}, {"1": 250, "2": 999, "3": 1}) == 3 * 250 + 999

    def test_of_nothing_is_nothing(self) -> None:
        assert refund_amount({}, {"1": 250}) == 0

    @given(units=UNITS, price=st.integers(0, 10**6))
    def test_of_parts_is_the_refund_of_the_whole(self, units: dict[str, int], price: int) -> None:
        prices = dict.fromkeys(units, price)
        parts = sum(refund_amount({line_id: quantity}, prices) for line_id, quantity in units.items())
        assert parts == refund_amount(units, prices)


LINES = st.sampled_from("123")


class ReturnsOfAnOrder(RuleBasedStateMachine):
    """Some returns of one order, each unit followed by itself: where it is, and how often it was refunded."""

    @initialize(delivered=st.dictionaries(LINES, st.integers(1, 4), min_size=1))
    def order_delivered(self, delivered: dict[str, int]) -> None:
        self.delivered, self.now = delivered, MONDAY_NOON
        self.returns: dict[str, ReturnState] = {}
        self.at_customer = Counter(delivered)
        self.on_the_way: dict[str, Counter[str]] = {}
        self.arrived: dict[str, Counter[str]] = {}
        self.inspected: dict[str, Counter[str]] = {}
        self.refunds: Counter[str] = Counter()

    def seen(self, name: str) -> ReturnState:
        """The return as the store would read it: what is returnable depends on all returns of the order."""
        state = self.returns.get(name) or ReturnState(
            name, {line_id: ReturnedUnits(sku=line_id, unit_price=10) for line_id in self.delivered}
        )
        claimed = Counter[str]()
        for other in self.returns.values():
            claimed.update({i: line.announced - line.released for i, line in other.lines.items()})
        lines = {i: replace(line, returnable=self.delivered[i] - claimed[i]) for i, line in state.lines.items()}
        return replace(state, lines=lines)

    def carry_out(self, name: str, command: ReturnCommand) -> ReturnChange | None:
        state = self.seen(name)
        try:
            change = decide(state, command, now=self.now, lasts=LASTS)
        except DomError:
            assert state == self.seen(name)
            return None
        if change is not None:
            self.returns[name] = apply(state, change)
            assert self.returns[name].number == state.number + 1
        return change

    @rule(asked=st.dictionaries(LINES, st.integers(1, 4), min_size=1))
    def requested(self, asked: dict[str, int]) -> None:
        name = f"R{len(self.returns) + 1}"
        change = self.carry_out(name, Announce(lines=tuple(asked.items())))
        assert (change is not None) == (asked.keys() <= self.delivered.keys() and Counter(asked) <= self.at_customer)
        if change is not None:
            self.on_the_way[name] = Counter(asked)
            self.arrived[name], self.inspected[name] = Counter(), Counter()
            self.at_customer -= Counter(asked)

    def some_return(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.returns)))

    @precondition(lambda self: self.returns)
    @rule(data=st.data(), units=st.none() | st.dictionaries(LINES, st.integers(1, 4), min_size=1))
    def received(self, data: st.DataObject, units: dict[str, int] | None) -> None:
        name = self.some_return(data)
        lines = None if units is None else tuple(units.items())
        change = self.carry_out(name, Receive(lines=lines))
        expected = +self.on_the_way[name] if units is None else Counter(units)
        assert (change is not None) == (bool(expected) and expected <= self.on_the_way[name])
        if change is not None:
            self.on_the_way[name] -= expected
            self.arrived[name] += expected

    @precondition(lambda self: self.returns)
    @rule(
        data=st.data(),
        units=st.lists(st.tuples(LINES, st.sampled_from(list(Disposition)), st.integers(1, 3)), min_size=1),
    )
    def inspected_some(self, data: st.DataObject, units: list[tuple[str, Disposition, int]]) -> None:
        name = self.some_return(data)
        counted: Counter[str] = Counter()
        for line_id, _, quantity in units:
            counted[line_id] += quantity
        change = self.carry_out(name, Inspect(found=tuple(units)))
        assert (change is not None) == (counted <= self.arrived[name] - self.inspected[name])
        if change is not None:
            self.inspected[name] += counted
            self.refunds[name] += change.refund or 0

    @precondition(lambda self: self.returns)
    @rule(data=st.data(), command=st.sampled_from([CANCEL, CLOSE, EXPIRE]))
    def ended(self, data: st.DataObject, command: ReturnCommand) -> None:
        name = self.some_return(data)
        change = self.carry_out(name, command)
        if change is not None:
            assert Counter(change.released) == +self.on_the_way[name]
            self.at_customer += self.on_the_way[name]
            self.on_the_way[name] = Counter()

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def every_unit_is_in_one_place(self) -> None:
        for name, state in self.returns.items():
            assert Counter(state.outstanding) == +self.on_the_way[name]
            assert Counter(state.received) == +self.arrived[name]
            assert Counter(state.uninspected) == self.arrived[name] - self.inspected[name]
            assert self.refunds[name] == 10 * self.inspected[name].total()
        free = {i: line.returnable for i, line in self.seen("another").lines.items()}
        assert +Counter(free) == +self.at_customer
        assert min(free.values()) >= 0
        away = sum((*self.on_the_way.values(), *self.arrived.values()), Counter[str]())
        assert away + self.at_customer == Counter(self.delivered)

    @invariant()
    def it_has_ended_once_nothing_is_to_come_or_to_be_inspected(self) -> None:
        for name, state in self.returns.items():
            assert (state.status in FINAL_RETURN) == (not state.outstanding and not state.uninspected)
            assert state.expires_at is None or state.status not in FINAL_RETURN
            assert (state.status is ReturnStatus.REFUNDED) == (state.ended and bool(self.refunds[name]))
            assert state.expires_at is not None or not state.outstanding, "nothing is waited for without end"


ReturnsOfAnOrder.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestReturnsOfAnOrder = ReturnsOfAnOrder.TestCase
