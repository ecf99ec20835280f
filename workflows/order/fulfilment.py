"""The life of one fulfilment inside its order's workflow: from a node's work list into the customer's hands."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows.order.interface import OrderProcess

with workflow.unsafe.imports_passed_through():
    from activities.errors import as_application_error
    from activities.fulfilling import AdvanceFulfilment, Fulfilling, StrayReport
    from activities.looking_again import Answer
    from activities.shipping import BookCarrier, Booked, Shipping, VoidBooking
    from activities.sourcing import Released
    from dom.fulfilment.carrier_reports import CARRIED, GOODS_LEAVE, is_known
    from dom.orders.commands import BookCarrierRefused, MoveParcel, TakeNodeStep
    from dom.orders.lifecycle import PROGRESS, FulfilmentState, is_repeat
    from dom.orders.status import CARRIER_MILESTONES, FulfilmentStatus
    from dom.orders.transitions import decide
    from dom.shared import ids
    from dom.shared.errors import StepNotPossible
    from workflows.activity_calls import local, remote
    from workflows.messages import ArrivedCall, ArrivedResult, CarrierReport, NodeReport
    from workflows.order.arrival import count_as_delivered
    from workflows.order.sequence import BEFORE_ALL

_S = FulfilmentStatus

Told = tuple[int, NodeReport | CarrierReport]
"""A report, and its place in the sequence of what the order was told."""


class Ended(Exception):
    """The fulfilment is over without delivery: rejected, cancelled, lost or returned to the sender."""


class FulfilmentProcess:
    """Follows one fulfilment; `inbox` is where the reports about it arrive, each with its place in the sequence."""

    def __init__(self, order: OrderProcess, state: FulfilmentState) -> None:
        self.inbox: deque[Told] = deque()
        self.is_over = False
        self.at_rest = False
        self._order = order
        self._id = state.id
        self._heard: set[str] = set()
        self._lost_at: datetime | None = None

    @property
    def _state(self) -> FulfilmentState:
        """The fulfilment as the order's process knows it now."""
        return self._order.state.fulfilments[self._id]

    def go_on(self, unheard: Sequence[CarrierReport], lost_at: datetime | None) -> None:
        """Go on after earlier runs of the order's process, from the status the fulfilment has.

        `unheard` are reports they may not have heard, older than what is said since; `lost_at`: when they heard the
        parcel to be lost.
        """
        self._lost_at = lost_at
        self.inbox.extendleft((BEFORE_ALL, report) for report in reversed(unheard))

    async def run(self) -> None:
        """Accept, pick, pack, book the carrier, hand over, deliver; or make ready and be collected."""
        with suppress(Ended):
            if self._state.pickup:
                await self._until(_S.COLLECTED)
            else:
                if self._progress < PROGRESS[_S.HANDED_OVER]:
                    await self._ship()
                await self._until(_S.DELIVERED)
        self.is_over = True
        await self.catch_up()

    async def catch_up(self) -> None:
        """Heed what is reported of work that is over: goods that left although they were cancelled are no small thing.

        What a node still says of its own work on it is of no matter, unless the work was recalled: then it may do what
        another node does as well.
        """
        while self.inbox:
            place, report = self.inbox.popleft()
            recalled = self._state.status is _S.RECALLED
            if recalled or isinstance(report, CarrierReport) or report.step in GOODS_LEAVE:
                await self._heed(place, report)

    async def _ship(self) -> None:
        """Pack, book, hand over. Units taken out of a packed parcel void the booking, and it is packed anew."""
        while True:
            await self._until(_S.PACKED)
            booked = self._state.status is _S.BOOKED
            attempt = self._state.bookings = self._state.bookings + (0 if booked else 1)
            try:
                if (booked or await self._book_carrier(attempt)) and await self._hand_over():
                    return
            except Ended:
                await self.void_booking(attempt)
                raise
            await self.void_booking(attempt)

    async def _until(self, status: FulfilmentStatus) -> None:
        while self._progress < PROGRESS[status]:
            await self._heed(*await self._next_report())

    async def _hand_over(self) -> bool:
        """Wait for the hand-over; False if the parcel is to be packed anew."""
        while PROGRESS[_S.BOOKED] <= self._progress < PROGRESS[_S.HANDED_OVER]:
            await self._rest_until(lambda: bool(self.inbox) or self._state.status is not _S.BOOKED)
            if self._state.status is _S.BOOKED:
                await self._heed(*self.inbox.popleft())
        return self._progress >= PROGRESS[_S.HANDED_OVER]

    async def _book_carrier(self, attempt: int) -> bool:
        """Book the carrier; False if the parcel is to be packed anew. A refused booking goes back to sourcing."""
        booking = remote(
            Shipping.book_carrier,
            BookCarrier(order_id=self._order.state.order_id, fulfilment_id=self._state.id, attempt=attempt),
            f"Book the carrier for {self._state.id} at {self._state.node_id}",
        )
        await workflow.wait_condition(lambda: booking.done() or self._state.status is not _S.PACKED)
        if not booking.done():
            booking.cancel()
        try:
            booked: Booked = await booking
        except asyncio.CancelledError:
            return False
        except ActivityError as error:
            await self._booking_refused(str(error.cause))
            return False
        if self._state.status is not _S.PACKED:
            return False
        self._state.status = _S.BOOKED
        self._state.tracking = f"{booked.carrier} {booked.tracking_number}"
        self._order.show()
        return True

    async def _booking_refused(self, reason: str) -> None:
        async with self._order.one_at_a_time.step(BEFORE_ALL):
            if self._state.status is _S.PACKED:
                await self._take(BookCarrierRefused(fulfilment_id=self._id, reason=reason, at=workflow.now()))

    async def void_booking(self, attempt: int) -> None:
        """Compensation of the booking: repeated until it succeeds, harmless for one that was never made."""
        await remote(
            Shipping.void_booking,
            VoidBooking(order_id=self._order.state.order_id, fulfilment_id=self._state.id, attempt=attempt),
            f"Take the booking of {self._state.id} back",
        )

    @property
    def _progress(self) -> int:
        """How far the work is. Raises Ended where it leads no further."""
        if not self._state.living:
            raise Ended
        return PROGRESS[self._state.status]

    async def _next_report(self) -> Told:
        await self._rest_until(lambda: bool(self.inbox) or not self._state.living)
        if not self._state.living:
            raise Ended
        return self.inbox.popleft()

    async def _rest_until(self, news: Callable[[], bool]) -> None:
        """Wait for news. Meanwhile the store holds all there is to know of the work."""
        self.at_rest = True
        await workflow.wait_condition(news)
        self.at_rest = False

    async def _heed(self, place: int, report: NodeReport | CarrierReport) -> None:
        if isinstance(report, NodeReport):
            await self._heed_node(place, report)
        else:
            await self._heed_carrier(place, report)

    async def _heed_node(self, place: int, report: NodeReport) -> None:
        async with self._order.one_at_a_time.step(place):
            status = self._state.status
            if is_repeat(status, report.step) or (report.if_unbegun and status is not _S.RELEASED):
                return
            command = TakeNodeStep(
                fulfilment_id=self._id,
                step=report.step,
                actor=report.actor,
                at=report.occurred_at,
                reason=report.reason,
                found=None if report.lines is None else {line.line_id: line.quantity for line in report.lines},
                if_unbegun=report.if_unbegun,
            )
            try:
                taken = await self._take(command)
            except StepNotPossible:
                await self._stray(report.step, report.actor, report.occurred_at)
                return
            if not taken:
                await self._order.take_in_second_looks()
                if not report.if_unbegun:
                    await self._stray(report.step, report.actor, report.occurred_at)

    async def _heed_carrier(self, place: int, report: CarrierReport) -> None:
        """What a carrier says of the booking that stands moves the work on; of any other it is a stray report.

        A scan on the way counts only where the API names the booking; it did not tell of them before.
        """
        async with self._order.one_at_a_time.step(place):
            target = CARRIER_MILESTONES.get(report.kind)
            if report.event_id in self._heard or (target is None and report.shipment_id is None):
                return
            stands, status = self._is_of_the_last_booking(report), self._state.status
            if stands and status is _S.BOOKED:  # the carrier has it: the node's hand-over scan was missed or is late
                self.inbox.appendleft((place, report))
                await self._take(self._moved(_S.HANDED_OVER, report, "seen by the carrier"))
                return
            if report.event_id is not None:
                self._heard.add(report.event_id)
            # A scan on the way that was made before the parcel was lost comes in late, and says nothing.
            made_before = target is None and self._lost_at is not None and report.occurred_at <= self._lost_at
            if stands and (is_known(status, report.kind) or made_before):
                return
            if not (stands and target and await self._come_to(target, report)):
                await self._stray(report.kind, report.actor, report.occurred_at, report.shipment_id)

    async def _come_to(self, target: FulfilmentStatus, report: CarrierReport) -> bool:
        """Move on to what the carrier says of the parcel; False if it cannot be true."""
        if self._state.status is _S.HANDED_OVER:
            self._lost_at = report.occurred_at if target is _S.LOST else None
            reason = "" if target is _S.DELIVERED else "reported by the carrier"
            return await self._take(self._moved(target, report, reason))
        if self._state.status is not _S.LOST or target is not _S.DELIVERED or report.shipment_id is None:
            return False
        taken_back = await count_as_delivered(
            self._order,
            self._state,
            actor=report.actor,
            reason="it arrived after all",
            at=report.occurred_at,
        )
        return taken_back is not None

    def _moved(self, status: FulfilmentStatus, report: CarrierReport, reason: str) -> MoveParcel:
        return MoveParcel(
            fulfilment_id=self._id, status=status, actor=report.actor, at=report.occurred_at, reason=reason
        )

    def _is_of_the_last_booking(self, report: CarrierReport) -> bool:
        """Whether the report is of the booking that stands. That of a shipment named for another fulfilment, which
        carries this one too, the store has looked up before we were told.
        """
        if report.shipment_id is None or report.shipment_id.rpartition("-B")[0] != self._state.id:
            return True
        last = ids.booking_key(self._state.id, self._state.bookings)
        return self._state.status in CARRIED and report.shipment_id == last

    async def arrived(self, place: int, call: ArrivedCall) -> ArrivedResult:
        """Support says that a lost parcel arrived. Refused if not all of its replacement can be taken back."""
        async with self._order.one_at_a_time.step(place):
            taken_back: dict[str, int] = {}
            if self._state.status is not _S.DELIVERED:
                units = self._state.status is _S.LOST and await count_as_delivered(
                    self._order,
                    self._state,
                    actor=call.actor,
                    reason=call.reason or "it arrived after all",
                    at=call.occurred_at or workflow.now(),
                    begun=True,
                )
                if not units:
                    raise as_application_error(self._cannot_have_arrived())
                taken_back = units
            state = self._order.state
            return ArrivedResult(
                order_id=state.order_id, fulfilment_id=self._state.id, status=state.status(), taken_back=taken_back
            )

    def _cannot_have_arrived(self) -> StepNotPossible:
        if self._state.status is not _S.LOST:
            return StepNotPossible(
                f"{self._state.id} is {self._state.status}, not lost", data={"status": self._state.status}
            )
        others = {f.id: f.status for f in self._order.state.living}
        return StepNotPossible(f"not all that replaces {self._state.id} can be taken back", data={"living": others})

    async def _take(self, command: TakeNodeStep | MoveParcel | BookCarrierRefused) -> bool:
        """Write a step down and take it over; False, and nothing has happened, if a second look took the work back.

        Raises StepNotPossible for one that does not follow on where the work stands.
        """
        state = self._order.state
        change = decide(state, command)
        status = next(move.status for move in change.statuses if move.fulfilment_id == self._id)
        request = AdvanceFulfilment(order_id=state.order_id, number=self._state.steps + 1, command=command)
        summary = f"{self._id} at {self._state.node_id}: {status}"
        answer: Answer | None = await local(Fulfilling.advance_fulfilment, request, summary)
        if answer is Answer.RECALLED:
            return False
        self._order.committed(change)
        return True

    async def _stray(self, report: str, actor: str, at: datetime, shipment_id: str | None = None) -> None:
        await local(
            Fulfilling.note_stray_report,
            StrayReport(
                order_id=self._order.state.order_id,
                fulfilment_id=self._state.id,
                report=report,
                status=self._state.status,
                actor=actor,
                occurred_at=at,
                shipment_id=shipment_id,
            ),
            f"{self._state.id}: {report} reported out of turn",
        )
        self._order.trouble("report_out_of_turn", f"{self._state.id}, {report} by {actor}")
        self._order.show()


def as_state(released: Released) -> FulfilmentState:
    """A fulfilment that was released, as the order's process keeps it."""
    return FulfilmentState(released.fulfilment_id, released.node_id, released.pickup, dict(released.lines))
