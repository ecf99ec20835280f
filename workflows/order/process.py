"""The life of an order."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.capture import AcceptOrder, Capture
    from activities.errors import as_application_error
    from activities.resuming import ResumeOrder, Resuming
    from activities.sourcing import SourcingActivities
    from dom.orders.calls import OrderAnswer
    from dom.orders.commands import CancelRest, GiveUpWaiting
    from dom.orders.status import FAILED_SOURCING, FINAL_ORDER, OrderStatus, SourcingCause
    from dom.shared.access import TEMPORAL
    from dom.shared.errors import OrderConflict
    from dom.sourcing.sourced import FIRST_ATTEMPT, Accepted, ResumedOrder, SourceAgain, Sourced, SourcedAgain
    from workflows.activity_calls import REFUSALS, again, local, refusal
    from workflows.messages import (
        EDITION,
        PUTS_BOOKINGS_ASIDE,
        REFUSED,
        SOURCES_FIRST,
        AcceptCall,
        OrderInput,
        OrderNews,
        OrderResult,
        OrderStanding,
        Reoptimised,
        StockArrived,
    )
    from workflows.order.holding import OrderHolding
    from workflows.order.requests import OrderRequests
    from workflows.order.sequence import AFTER_ALL, BEFORE_ALL
    from workflows.order.stored import StoredOrder, request_at, run_id
    from workflows.order.temporal_view import OrderBoard
    from workflows.order.waiting import Waiting
    from workflows.runs import ANSWERS_LEAVE, EARLIER_RUN, Answers, CancellationRequest, is_long

_NEXT_RUN: Final[Mapping[str, object]] = {"edition": EDITION, "continued": True, "revived_by": None, "corrections": ()}
"""What the next run of an order's process starts with, otherwise than this one: it reads the store."""


@workflow.defn(name="Order")
class OrderWorkflow(OrderRequests):
    """One order, from the channel's hand-over until every unit is delivered, collected or cancelled.

    The store decides what happens to its units. What the process knows of them is what it last read there.
    """

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        """Nothing is known of the order, until it is captured or read."""
        self._order = start.order
        self._start = start
        self._refused: ApplicationError | None = None
        self._first_caller: str | None = None
        self._said: Sourced | None = None
        self._board = OrderBoard(start.order, workflow.info().start_time)
        self._stored = StoredOrder(start.order, self._board)
        self._answers = Answers()
        self._holding = OrderHolding(self._stored)
        self._cancellation = CancellationRequest(self._cancel_the_rest)
        self._sourcings = FIRST_ATTEMPT
        self._source_why = start.cause
        self._next_place = AFTER_ALL
        self._as_of = start.as_of or start.order.placed_at
        self._waiting = Waiting(workflow.now())

    @workflow.run
    async def run(self, _start: OrderInput) -> OrderResult:
        """Accept the order, fulfil it, finish it; Temporal's own cancellation does not end it."""
        return await self._cancellation.beside(self._live())

    # --- the process -------------------------------------------------------------------------------------------------

    async def _live(self) -> OrderResult:
        if self._start.continued:
            await self._go_on()
        elif not (self._start.revived_by and await self._resume()):
            await self._accept()
        if self._refused is not None:
            return await self._end_refused(self._refused)
        await self._fulfil()
        return await self._finish()

    async def _accept(self) -> None:
        """Record, plan, reserve and release in one transaction. A refused order leaves nothing behind."""
        try:
            request = AcceptOrder(order=self._order, corrections=self._start.corrections, run_id=run_id())
            accepted: Accepted = await local(Capture.accept_order, request, self._board.accept_summary())
        except REFUSALS as error:
            self._refused = refusal(error)
            return
        if accepted.sourced is None or accepted.view is None:
            await self._go_on()
            return
        self._say(accepted.sourced)
        self._waiting.since = workflow.now()
        self._stored.take_in(accepted.view)

    async def _end_refused(self, refused: ApplicationError) -> OrderResult:
        """Nothing went wrong: the caller has the answer, and the number can be used again."""
        why = f"{refused.type}: {refused.message}"
        self._board.refused(why)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result(REFUSED, reason=why)

    async def _fulfil(self) -> None:
        """Until every unit is where it belongs: read what happened, and source anew what waits."""
        while not self._is_over():
            if self._may_put_bookings_aside():
                await self._stored.bookings.put_aside()
            if self._may_continue() and await self._stored.steps.still(self._may_end_here):
                self._go_on_in_a_new_run()
            await self._something_happens()
            place, self._next_place = self._next_place, AFTER_ALL
            self._stored.bookings.settle()
            if self._stored.is_behind:
                await self._stored.read_again(place)
            place = BEFORE_ALL if self._stored.view.cause else place
            if self._holding.is_time(workflow.now()):
                await self._holding.heed_time(place)
            if self._stored.view.to_source and self._stored.view.sourcings > self._sourcings:
                self._source_why = self._source_why or SourcingCause.EDITED  # sourced by who edited it: on what terms?
            await self._source_or_wait(place)

    async def _source_or_wait(self, place: int) -> None:
        """Source what lost its node, or has news; give up what waited for too long."""
        lost = self._lost
        any_units = bool(self._stored.view.to_source)
        self._waiting.note(workflow.now(), any_units=any_units, begins_anew=lost is not None)
        if not any_units:
            self._source_why = None
        elif lost is not None:
            await self._source(place, lost)
        elif enough := self._waiting.enough(workflow.now()):
            await self._give_up_waiting(place, enough)
        elif why := self._why:
            await self._source(place, why)

    @property
    def _lost(self) -> SourcingCause | None:
        """Why units lost their node since they were sourced last; None before the edition that asks."""
        return self._stored.view.cause if self._start.edition >= SOURCES_FIRST else None

    def _go_on_in_a_new_run(self) -> NoReturn:
        """What the store does not know goes along: there may be stock for what waits."""
        told = {"cause": self._source_why, "as_of": self._as_of}
        workflow.continue_as_new(self._start.model_copy(update=dict(_NEXT_RUN) | told))

    async def _finish(self) -> OrderResult:
        """Callers get their answers, and the order is over."""
        await workflow.wait_condition(self._is_quiet)
        while self._answers.are_leaving():
            await workflow.sleep(ANSWERS_LEAVE)
            await workflow.wait_condition(self._is_quiet)
        return self._result(self._stored.view.status)

    def _result(self, status: OrderStatus | Literal["refused"], reason: str = "") -> OrderResult:
        number = len(self._stored.view.fulfilments)
        id_, now = self._order.order_id, workflow.now()
        return OrderResult(order_id=id_, status=status, fulfilments=number, finished_at=now, reason=reason)

    def _is_quiet(self) -> bool:
        """A handler may have an answer yet to give, or a late report to hand on: all are asked at the same moment."""
        return workflow.all_handlers_finished() and self._stored.bookings.at_rest and self._cancellation.is_carried_out

    def _is_over(self) -> bool:
        bookings = self._stored.bookings
        is_done = bookings.at_rest and not bookings.are_put_aside
        return self._stored.view.status in FINAL_ORDER and is_done and not self._stored.is_behind

    async def _something_happens(self) -> None:
        """Wait for news, until it is time to look again for stock, or a hold's time is over."""
        now, view = workflow.now(), self._stored.view
        look_again = now + self._waiting.patience(now) if view.to_source else None
        until = min(filter(None, (look_again, self._holding.next_at())), default=None)
        try:
            await workflow.wait_condition(
                self._has_news,
                timeout=None if until is None else max(until - now, timedelta()),
                timeout_summary=self._board.waiting_summary(view),
            )
        except TimeoutError:
            if until == look_again:
                self._source_why = self._source_why or SourcingCause.RETRIED

    def _has_news(self) -> bool:
        return bool(
            (self._stored.view.to_source and (self._why or self._waiting.cancels))
            or self._stored.is_behind
            or self._stored.bookings.failed
            or self._is_over()
            or self._may_continue()
            or self._may_put_bookings_aside()
        )

    @property
    def _why(self) -> SourcingCause | None:
        """Why units that wait are to be sourced now; None if they are left alone."""
        return self._stored.view.cause or self._source_why

    def _may_continue(self) -> bool:
        """Whether the history is long, nobody waits for an answer, and no booking is under way."""
        return is_long(self._start.most_events) and self._is_quiet() and self._stored.steps.at_rest

    def _may_put_bookings_aside(self) -> bool:
        """Whether a booking that is tried again and again, as while its carrier is away, is all that keeps the run."""
        return (
            self._start.edition >= PUTS_BOOKINGS_ASIDE
            and not self._stored.bookings.at_rest
            and is_long(self._start.most_events)
            and workflow.all_handlers_finished()
            and self._cancellation.is_carried_out
            and self._stored.steps.at_rest
        )

    def _may_end_here(self) -> bool:
        return self._may_continue() and not self._answers.are_leaving()

    # --- going on where the store stands -----------------------------------------------------------------------------

    async def _resume(self) -> bool:
        """Go on where the store stands; False if it does not hold the order."""
        request = ResumeOrder(order_id=self._order.order_id, revived_by=self._start.revived_by, run_id=run_id())
        found: ResumedOrder | None = await local(Resuming.resume_order, request, "Go on where the order stands")
        if found is None:
            return False
        self._sourcings = found.sourcings
        lost = found.view.cause is not None and self._start.edition >= SOURCES_FIRST
        waited = timedelta() if lost else timedelta(seconds=found.waiting_seconds)
        self._waiting.go_on(found.sourced, waited, workflow.now())
        self._source_why = self._source_why or (None if self._start.continued else SourcingCause.RETRIED)
        self._first_caller = self._first_caller if found.captured_here else EARLIER_RUN
        self._said = found.sourced.model_copy(update={"promise": found.promise})
        self._board.promised(found.promise)
        self._stored.take_in(found.view)
        return True

    async def _go_on(self) -> None:
        """Go on with an order that was captured. One that the store lost is not captured anew: a person decides that,
        for goods may have left for it.
        """
        while not await self._resume():
            self._board.lost()
            self._stored.is_behind = False
            await workflow.wait_condition(lambda: self._stored.is_behind)

    @workflow.query
    def standing(self) -> OrderStanding:
        """Where the process believes the order to stand."""
        return self._stored.standing(captured=self._stored.is_known or self._start.continued)

    # --- sourcing ----------------------------------------------------------------------------------------------------

    def _say(self, sourced: Sourced) -> None:
        """Go by what a sourcing says of the units that wait."""
        self._said = sourced
        self._waiting.heed(sourced, workflow.now())
        self._board.promised(sourced.promise)

    async def _source(self, place: int, cause: SourcingCause) -> None:
        self._source_why = None
        summary = self._board.source_summary(self._stored.view, cause)
        try:
            async with self._stored.steps.step(place):
                self._sourcings += 1
                request = SourceAgain(
                    order_id=self._order.order_id,
                    attempt=self._sourcings,
                    cause=cause,
                    as_of=max(self._as_of, self._stored.view.as_of or self._as_of),
                    failed_nodes=self._waiting.failed_nodes,
                )
                answer: SourcedAgain = await local(SourcingActivities.source_again, request, summary)
                self._heed_sourcing(answer)
        except REFUSALS:  # the store lost the order
            await self._stored.read_again(place)

    def _heed_sourcing(self, answer: SourcedAgain) -> None:
        if answer.sourced is not None:
            self._say(answer.sourced)
            if answer.sourced.known:  # decided when this was tried before; what was told since is not in it
                self._source_why = self._source_why or answer.cause
            if answer.cause in FAILED_SOURCING and answer.sourced.waiting:
                self._board.note("backorder: units lost their node, and no other has stock")
        self._stored.take_in(answer.view)

    async def _give_up_waiting(self, place: int, reason: str) -> None:
        command = GiveUpWaiting(reason=reason, at=workflow.now(), request=f"{run_id()}:given up:{self._sourcings}")
        try:
            await self._stored.change(place, command, "Cancel what waits")
        except REFUSALS:  # nothing waits any more
            await self._stored.read_again(place)

    @workflow.signal
    async def stock_arrived(self, news: StockArrived) -> None:
        """Stock that the order may wait for came in."""
        self._next_place = min(self._next_place, self._stored.received())
        self._as_of = max(self._as_of, news.occurred_at)
        self._source_why = self._source_why or SourcingCause.STOCK_ARRIVED

    @workflow.signal
    async def reoptimised(self, news: Reoptimised) -> None:  # noqa: ARG002  the store says what changed
        """Work that no node had begun was given to other nodes."""
        self._hear()

    @workflow.signal
    async def order_changed(self, news: OrderNews) -> None:  # noqa: ARG002  the store says what changed
        """Somebody else changed the order in the store: a node, or a person."""
        self._hear()

    def _hear(self) -> None:
        self._next_place = min(self._next_place, self._stored.received())
        self._stored.is_behind = True

    # --- the channel -------------------------------------------------------------------------------------------------

    @workflow.update
    async def accept(self, call: AcceptCall) -> OrderAnswer:  # noqa: ARG002  the validator below reads it
        """The answer to the channel: order id, status and promise; or why the order is refused."""
        caller = workflow.current_update_info()
        if self._first_caller is None and caller is not None:
            self._first_caller = caller.id
        await self._decided()
        self._answers.note()
        return OrderAnswer(
            **(self._said.told if self._said else {"promise": None}),
            order_id=self._order.order_id,
            status=self._stored.view.status,
            created=caller is not None and caller.id == self._first_caller,
        )

    @accept.validator
    def _is_the_same_order(self, call: AcceptCall) -> None:
        if call.content_hash != self._order.content_hash():
            number = f"{self._order.channel} order {self._order.external_id}"
            raise as_application_error(OrderConflict(f"{number} was captured with other content", field="external_id"))

    async def _decided(self) -> int:
        """Wait until the order is accepted; answers the caller's place in the sequence. Raises the refusal."""
        place = self._stored.received()
        await workflow.wait_condition(lambda: self._stored.is_known or self._refused is not None)
        if self._refused is not None:
            raise again(self._refused)
        return place

    async def _cancel_the_rest(self) -> None:
        """Cancel every unit that can still be cancelled, because Temporal was asked to cancel the workflow.

        What is handed over goes on to its end; the report in the Temporal UI says what was done.
        """
        cancelled = 0
        try:
            place = await self._decided()
            why, now = "cancelled by an operator", workflow.now()
            command = CancelRest(actor=TEMPORAL, reason=why, at=now, request=request_at(place))
            cancelled = sum((await self._stored.change(place, command, "Cancel what has not left")).units.values())
        except REFUSALS as error:
            workflow.logger.warning("not cancelled: %s", error)
        if self._refused is not None:
            return
        self._board.cancelled_by_temporal(cancelled, self._stored.view)
