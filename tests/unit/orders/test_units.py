"""No unit of an order is lost and none is counted twice, whatever happens in whatever sequence."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from dom.orders.changes import (
    CANCELLED,
    WAITING,
    ConsumeStock,
    GiveDayBack,
    OrderChange,
    ReleaseStock,
)
from dom.orders.commands import (
    BookCarrierRefused,
    CancelRest,
    Command,
    GiveUpWaiting,
    MoveWork,
    Reship,
    SourceWorkAgain,
    SplitWork,
)
from dom.orders.lifecycle import PROGRESS, FulfilmentState, OrderState, after_step
from dom.orders.pickup import Pickup
from dom.orders.pickup_commands import CountWrongCode, ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.orders.status import (
    BEFORE_HAND_OVER,
    FINAL_FULFILMENT,
    NOTHING_RESERVED,
    FulfilmentStatus,
    FulfilmentStep,
    OrderStatus,
)
from dom.orders.transitions import apply, decide, is_known
from dom.shared.errors import CannotCancel, StepNotPossible
from tests.worlds.commanding import AT, S, Step, arrived, booked, cancel, order, parcel, step


@dataclass(slots=True)
class Unit:
    """One piece, wherever it is; `listed` are the fulfilments that name it as what they were for."""

    line_id: str
    place: str
    listed: set[str]


def identity(work: FulfilmentState) -> dict[str, object]:
    """How the customer shows who he is."""
    if work.collection is None or work.collection.locked:
        return {"identity_checked": True, "reason": "passport"}
    return {"code": work.collection.code}


class UnitsOfAnOrder(RuleBasedStateMachine):
    """Everything that can happen to an order, in any sequence, beside its units one by one."""

    fulfilments = Bundle("fulfilments")

    @initialize(quantities=st.lists(st.integers(1, 9), min_size=1, max_size=4))
    def captured(self, quantities: list[int]) -> None:
        self.ordered = {f"l{number}": quantity for number, quantity in enumerate(quantities)}
        self.state = order(**self.ordered)
        self.units = [Unit(line_id, WAITING, set()) for line_id, n in self.ordered.items() for _ in range(n)]
        self.keys: set[str] = set()

    def do(self, command: Command) -> OrderChange | None:
        """Carry a command out; None if it is refused, and then nothing has changed."""
        before = deepcopy(self.state)
        known = is_known(self.state, command)
        try:
            change = decide(self.state, command)
        except (StepNotPossible, CannotCancel):
            assert self.state == before
            return None
        assert not known, "what is known already is decided anew"
        after = apply(self.state, change)
        assert self.state == before, "a decision or its application changed the order it was given"
        assert change.event.key not in self.keys, "two changes have one key"
        self.the_process_hears(before, after)
        self.keys.add(change.event.key)
        self.stock_follows(before, after, change)
        self.state = after
        return change

    def the_process_hears(self, before: OrderState, after: OrderState) -> None:
        """A change of which an order's process is not told leaves it nothing to do, and nothing to show."""
        if after.followed == before.followed:
            assert (after.status(), after.waiting) == (before.status(), before.waiting)
            for f in after.fulfilments.values():
                was = before.fulfilments[f.id]
                assert f.status is was.status or {f.status, was.status} <= {S.RELEASED, S.ACCEPTED, S.PICKED}

    def stock_follows(self, before: OrderState, after: OrderState, change: OrderChange) -> None:
        """Work holds the stock of its units until it ends or they leave it, no longer and no shorter."""
        for f in before.fulfilments.values():
            now = after.fulfilments[f.id]
            holds = {i: n for i, n in f.lines.items() if n} if f.status not in NOTHING_RESERVED else {}
            should = {i: n for i, n in now.lines.items() if n} if now.status not in NOTHING_RESERVED else {}
            consumed = ConsumeStock(f.id) in change.stock
            released: dict[str, int] = {}
            for effect in change.stock:
                if isinstance(effect, ReleaseStock) and effect.fulfilment_id == f.id:
                    released = {i: released.get(i, 0) + n for i, n in effect.units.items()}
            left = {} if consumed else {i: n - released.get(i, 0) for i, n in holds.items() if n - released.get(i, 0)}
            assert left == should
            day_back = GiveDayBack(f.id) in change.stock
            assert day_back == (f.status in BEFORE_HAND_OVER and now.status in {S.CANCELLED, S.REJECTED, S.RECALLED})

    def move(self, line_id: str, quantity: int, origin: str, target: str, *, listed: bool = True) -> None:
        """The same with the pieces: so many of a line go from one place to another."""
        for unit in [each for each in self.units if (each.line_id, each.place) == (line_id, origin)][:quantity]:
            unit.place = target
            if not listed:
                unit.listed.discard(origin)

    @precondition(lambda self: self.state.backordered)
    @rule(target=fulfilments, data=st.data(), pickup=st.booleans())
    def sourced(self, data: st.DataObject, pickup: bool) -> str:
        waiting = self.state.waiting
        given = {i: data.draw(st.integers(0, quantity)) for i, quantity in waiting.items()}
        lines = {i: quantity for i, quantity in given.items() if quantity} or {min(waiting): 1}
        state = FulfilmentState(f"F{len(self.state.fulfilments) + 1}", "node", pickup=pickup, lines=lines)
        self.state.add(state)
        for line_id, quantity in lines.items():
            self.move(line_id, quantity, WAITING, state.id)
        for unit in self.units:
            if unit.place == state.id:
                unit.listed.add(state.id)
        return state.id

    @rule(fulfilment_id=fulfilments, step_taken=st.sampled_from(sorted(Step)))
    def reported(self, fulfilment_id: str, step_taken: FulfilmentStep) -> None:
        before = self.state.fulfilments[fulfilment_id]
        change = self.do(step(step_taken, fulfilment_id, **(identity(before) if step_taken is Step.COLLECT else {})))
        try:
            target = after_step(before.status, step_taken, pickup=before.pickup)
        except StepNotPossible:
            assert change is None
            return
        now = self.state.fulfilments[fulfilment_id]
        assert now.status is target
        if target is S.REJECTED:
            self.all_of(fulfilment_id, WAITING)
        else:
            assert PROGRESS[target] > PROGRESS[before.status]

    @rule(fulfilment_id=fulfilments)
    def made_ready(self, fulfilment_id: str) -> None:
        before = self.state.fulfilments[fulfilment_id]
        kept = Pickup(code="2345BC", collect_by=AT + timedelta(days=7), reminders=(AT + timedelta(days=5),))
        change = self.do(step(Step.PACK, fulfilment_id, collection=kept))
        now = self.state.fulfilments[fulfilment_id].collection
        assert now == (kept if change is not None and before.pickup else before.collection)

    @rule(fulfilment_id=fulfilments, days=st.integers(0, 40))
    def not_collected(self, fulfilment_id: str, days: int) -> None:
        waited = self.state.fulfilments[fulfilment_id].collection
        at = AT + timedelta(days=days)
        change = self.do(ExpireCollection(fulfilment_id=fulfilment_id, at=at))
        assert (change is not None) == (waited is not None and waited.collect_by <= at)
        if change is not None:
            self.taken_out(change)
            now = self.state.fulfilments[fulfilment_id]
            assert (now.status, now.put_back) == (S.CANCELLED, False)

    @rule(fulfilment_id=fulfilments, days=st.integers(1, 40))
    def reminded_of_or_kept_longer(self, fulfilment_id: str, days: int) -> None:
        waited = self.state.fulfilments[fulfilment_id].collection
        at, told = AT + timedelta(days=days), {"fulfilment_id": fulfilment_id}
        reminded = self.do(RemindOfCollection(**told, at=at))
        assert (reminded is not None) == (waited is not None and waited.due(at) and at < waited.collect_by)
        if waited is not None and at > waited.collect_by:
            assert self.do(KeepForCollection(**told, until=at, actor="support", at=AT)) is not None
            assert self.state.fulfilments[fulfilment_id].collection != waited

    @rule(fulfilment_id=fulfilments)
    def a_wrong_code_was_said(self, fulfilment_id: str) -> None:
        waited = self.state.fulfilments[fulfilment_id].collection
        change = self.do(CountWrongCode(fulfilment_id=fulfilment_id, actor="node", at=AT))
        assert (change is not None) == (waited is not None and not waited.locked)

    @rule(fulfilment_id=fulfilments)
    def put_back(self, fulfilment_id: str) -> None:
        if self.state.fulfilments[fulfilment_id].put_back is not True:
            change = self.do(PutBack(fulfilment_id=fulfilment_id, actor="node", at=AT))
            assert (change is not None) == (self.state.fulfilments[fulfilment_id].put_back is True)

    @invariant()
    def goods_wait_while_they_are_ready(self) -> None:
        for work in self.state.fulfilments.values():
            assert work.collection is None or work.status is S.READY

    def all_of(self, fulfilment_id: str, target: str) -> None:
        for line_id in self.ordered:
            self.move(line_id, 99, fulfilment_id, target)

    @rule(fulfilment_id=fulfilments)
    def booked(self, fulfilment_id: str) -> None:
        before = self.state.fulfilments[fulfilment_id].status
        command = booked(fulfilment_id)
        self.do(command.model_copy(update={"shipment_id": f"{fulfilment_id}-B{len(self.keys)}"}))
        assert self.state.fulfilments[fulfilment_id].status is (S.BOOKED if before is S.PACKED else before)

    @rule(fulfilment_id=fulfilments)
    def booking_was_refused(self, fulfilment_id: str) -> None:
        attempt = self.state.fulfilments[fulfilment_id].packings
        if self.do(BookCarrierRefused(fulfilment_id=fulfilment_id, attempt=attempt, reason="no", at=AT)):
            self.all_of(fulfilment_id, WAITING)

    @rule(fulfilment_id=fulfilments, end=st.sampled_from([S.DELIVERED, S.LOST, S.RETURNED]))
    def carried(self, fulfilment_id: str, end: FulfilmentStatus) -> None:
        before = self.state.fulfilments[fulfilment_id].status
        change = self.do(parcel(end, fulfilment_id))
        assert (change is not None) == (before is S.HANDED_OVER)
        if change and end is not S.DELIVERED:
            self.all_of(fulfilment_id, WAITING if end is S.LOST else CANCELLED)

    @rule(fulfilment_id=fulfilments)
    def sent_once_more(self, fulfilment_id: str) -> None:
        before = self.state.fulfilments[fulfilment_id]
        change = self.do(Reship(fulfilment_id=fulfilment_id, actor="support", at=AT))
        assert (change is not None) == (before.status is S.RETURNED and not before.reshipped)
        if change is not None:
            for line_id, units in before.lines.items():
                self.move(line_id, units, CANCELLED, WAITING)

    @rule(fulfilment_id=fulfilments, command=st.sampled_from((MoveWork, SourceWorkAgain)))
    def taken_back(self, fulfilment_id: str, command: type[MoveWork | SourceWorkAgain]) -> None:
        before = self.state.fulfilments[fulfilment_id]
        change = self.do(command(fulfilment_id=fulfilment_id, actor="support", at=AT))
        assert (change is not None) == (before.status is S.RELEASED and not before.pickup)
        if change is not None:
            self.all_of(fulfilment_id, WAITING)

    @rule(fulfilment_id=fulfilments, data=st.data())
    def split(self, fulfilment_id: str, data: st.DataObject) -> None:
        before = self.state.fulfilments[fulfilment_id]
        lines = {i: data.draw(st.integers(1, units)) for i, units in before.lines.items() if units}
        if not lines:
            return
        told = {"fulfilment_id": fulfilment_id, "lines": lines, "made": f"S{len(self.keys)}"}
        change = self.do(SplitWork(**told, actor="support", at=AT))
        rest = sum(before.lines.values()) > sum(lines.values())
        assert (change is not None) == (before.status is S.RELEASED and rest)
        if change is not None:
            for line_id, units in lines.items():
                self.move(line_id, units, fulfilment_id, WAITING, listed=False)

    @rule(fulfilment_id=fulfilments, data=st.data())
    def picked_short(self, fulfilment_id: str, data: st.DataObject) -> None:
        before = self.state.fulfilments[fulfilment_id]
        found = {i: data.draw(st.integers(0, units)) for i, units in before.lines.items()}
        change = self.do(step(Step.PICK, fulfilment_id, found=found))
        assert (change is not None) == (before.status in {S.RELEASED, S.ACCEPTED})
        if change is None:
            return
        for line_id, units in before.lines.items():
            self.move(line_id, units - found[line_id], fulfilment_id, WAITING, listed=False)
        nothing = not any(found.values()) and any(before.lines.values())
        assert self.state.fulfilments[fulfilment_id].status is (S.REJECTED if nothing else S.PICKED)

    @rule(fulfilment_id=fulfilments, begun=st.booleans())
    def arrived_after_all(self, fulfilment_id: str, begun: bool) -> None:
        change = self.do(arrived(fulfilment_id, begun=begun))
        if change is None:
            return
        for moved in change.moved:
            assert moved.target == fulfilment_id
            self.move(moved.line_id, moved.quantity, moved.origin, fulfilment_id, listed=False)
        assert self.state.fulfilments[fulfilment_id].status is S.DELIVERED

    @rule(data=st.data())
    def cancelled(self, data: st.DataObject) -> None:
        whole = data.draw(st.booleans())
        asked = None if whole else {i: data.draw(st.integers(1, quantity)) for i, quantity in self.ordered.items()}
        change = self.do(cancel(asked))
        if change is None:
            return
        if asked is not None:
            assert change.cancelled == asked
        self.taken_out(change)

    @rule()
    def cancelled_the_rest(self) -> None:
        could = self.state.cancellable
        change = self.do(CancelRest(actor="temporal", at=AT))
        assert (change.cancelled if change else {}) == could
        if change:
            self.taken_out(change)
            assert not self.state.cancellable

    @rule()
    def gave_up_waiting(self) -> None:
        waiting = self.state.waiting
        change = self.do(GiveUpWaiting(at=AT, reason="no stock came"))
        assert (change.cancelled if change else {}) == waiting
        if change:
            self.taken_out(change)

    def taken_out(self, change: OrderChange) -> None:
        for moved in change.moved:
            assert moved.target == CANCELLED
            self.move(moved.line_id, moved.quantity, moved.origin, CANCELLED, listed=False)

    @rule(fulfilment_id=fulfilments)
    def looked_at_again(self, fulfilment_id: str) -> None:
        if self.state.fulfilments[fulfilment_id].status is S.RELEASED:
            self.state.fulfilments[fulfilment_id].status = S.RECALLED
            for line_id, quantity in self.state.fulfilments[fulfilment_id].lines.items():
                self.state.lines[line_id].backordered += quantity
            self.all_of(fulfilment_id, WAITING)

    @invariant()
    def every_unit_is_in_one_place(self) -> None:
        for line_id, quantity in self.ordered.items():
            line = self.state.lines[line_id]
            in_work = [f.lines.get(line_id, 0) for f in self.state.living]
            assert min([line.cancelled, line.backordered, *in_work]) >= 0
            assert line.cancelled + line.backordered + sum(in_work) == quantity

    @invariant()
    def every_unit_is_where_it_was_moved_to(self) -> None:
        for line_id in self.ordered:
            mine = [unit for unit in self.units if unit.line_id == line_id]
            assert self.state.lines[line_id].backordered == sum(unit.place == WAITING for unit in mine)
            assert self.state.lines[line_id].cancelled == sum(unit.place == CANCELLED for unit in mine)
            for f in self.state.living:
                assert f.lines.get(line_id, 0) == sum(unit.place == f.id for unit in mine)
            for f in self.state.fulfilments.values():
                if not f.living:
                    assert f.lines.get(line_id, 0) == sum(f.id in unit.listed for unit in mine)

    @invariant()
    def what_can_be_cancelled_has_not_left(self) -> None:
        for fulfilment in self.state.fulfilments.values():
            assert fulfilment.cancellable == (fulfilment.status in BEFORE_HAND_OVER)
            assert not (fulfilment.cancellable and fulfilment.status in FINAL_FULFILMENT)

    @invariant()
    def the_order_is_over_when_every_unit_is(self) -> None:
        units_over = all(
            f.status in FINAL_FULFILMENT or not any(f.lines.values()) for f in self.state.living
        ) and not any(line.backordered for line in self.state.lines.values())
        if self.state.status() in {OrderStatus.DELIVERED, OrderStatus.CANCELLED}:
            assert units_over


UnitsOfAnOrder.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestUnitsOfAnOrder = UnitsOfAnOrder.TestCase
