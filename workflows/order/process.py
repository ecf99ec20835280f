"""The life of an order."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities import capture
    from activities.capture import AcceptOrder, Capture
    from activities.errors import as_application_error
    from activities.looking_again import LookingAgain, Looks, TakeIn
    from activities.sourcing import Sourced, SourcingActivities
    from dom.orders.changes import OrderChange
    from dom.orders.commands import GiveUpWaiting
    from dom.orders.lifecycle import FulfilmentState, OrderState
    from dom.orders.status import FAILED_SOURCING, FINAL_ORDER, SourcingCause
    from dom.orders.transitions import apply
    from dom.shared.errors import NotFound, OrderConflict
    from workflows.activity_calls import REFUSALS, again, answering, local, refusal
    from workflows.messages import (
        REFUSED,
        AcceptCall,
        ArrivedCall,
        ArrivedResult,
        CancelAnswer,
        CancelCall,
        CancelResult,
        CarrierReport,
        LookedAgain,
        NodeReport,
        OrderAnswer,
        OrderInput,
        OrderResult,
        OrderStanding,
        StockArrived,
    )
    from workflows.order import continuing, resuming
    from workflows.order.cancelling import Cancellations, logged_if_refused
    from workflows.order.fulfilment import FulfilmentProcess, Told, as_state
    from workflows.order.sequence import AFTER_ALL, BEFORE_ALL, OneAtATime
    from workflows.order.temporal_view import OrderBoard
    from workflows.order.waiting import Waiting
    from workflows.runs import ANSWERS_LEAVE, Answers, is_first_run, undisturbed


@workflow.defn(name="Order")
class OrderWorkflow:
    """One order, from the channel's hand-over until every unit is delivered, collected or cancelled."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        """Every unit waits, until sourcing gives it to a node."""
        self.order = start.order
        self.state = OrderState.captured(start.order)
        self.one_at_a_time = OneAtATime()
        self._start = start
        self._board = OrderBoard(start.order, workflow.info().start_time)
        self._cancellations = Cancellations(self, self._board)
        self._first_caller: str | None = None
        self._accepted: Sourced | None = None
        self._refused: ApplicationError | None = None
        self._processes: dict[str, FulfilmentProcess] = {}
        self._early: list[Told] = [(BEFORE_ALL, report) for report in start.early]
        self._under_way: list[asyncio.Task[None]] = []
        self._answers = Answers()
        self._sourcings = capture.FIRST_ATTEMPT
        self._source_why = start.cause
        self._place = self._next_place = AFTER_ALL
        self._as_of = start.as_of or start.order.placed_at
        self._waiting = Waiting(workflow.now())
        self._looks_told = self._looks_taken_in = 0

    @workflow.run
    async def run(self, _start: OrderInput) -> OrderResult:
        """Accept the order, fulfil it, finish it; Temporal's own cancellation does not end it."""
        return await undisturbed(self._live(), self._cancellation_requested)

    # --- the process -------------------------------------------------------------------------------------------------

    async def _live(self) -> OrderResult:
        if not ((self._start.revived_by or self._start.continued) and await self._resume()):
            await self._accept()
        if self._refused is not None:
            return await self._end_refused(self._refused)
        await self._fulfil()
        return await self._finish()

    async def _accept(self) -> None:
        """Record, plan, reserve and release in one transaction. A refused order leaves nothing behind."""
        try:
            request = AcceptOrder(order=self.order, corrections=self._start.corrections, run_id=workflow.info().run_id)
            sourced: Sourced = await local(Capture.accept_order, request, self._board.accept_summary())
        except REFUSALS as error:
            self._refused = refusal(error)
            return
        if sourced.known and is_first_run() and await self._resume():
            return
        self._take_in(sourced)
        self._accepted = sourced
        self._waiting.since = workflow.now()
        self.show()

    async def _end_refused(self, refused: ApplicationError) -> OrderResult:
        """Nothing went wrong: the caller has the answer, and the number can be used again."""
        why = f"{refused.type}: {refused.message}"
        self._board.refused(why)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return OrderResult(
            order_id=self.state.order_id, status=REFUSED, fulfilments=0, finished_at=workflow.now(), reason=why
        )

    async def _fulfil(self) -> None:
        """Until every unit is where it belongs: follow the fulfilments, and source anew what waits."""
        while not self._is_over():
            if self._may_continue() and await self.one_at_a_time.still(self._may_continue):
                told = {"cause": self._source_why, "as_of": self._as_of}
                workflow.continue_as_new(continuing.next_run(self._start, self._early, self._processes, told))
            if not await self._something_happens():
                self._source_why = self._source_why or SourcingCause.LOOKED_AGAIN
            self._place, self._next_place = self._next_place, AFTER_ALL
            self._settle_fulfilments()
            if self._looks_told > self._looks_taken_in:
                await self._look_again()
            self._waiting.note(workflow.now(), any_units=bool(self.state.backordered))
            if not self.state.backordered:
                self._source_why = None
            elif enough := self._waiting.enough(workflow.now()):
                await self._give_up_waiting(enough)
            elif self._source_why:
                await self._source(self._source_why)

    async def _finish(self) -> OrderResult:
        """Callers get their answers, and the order is over."""
        await workflow.wait_condition(self._is_quiet)
        while self._answers.are_leaving():
            await workflow.sleep(ANSWERS_LEAVE)
            await workflow.wait_condition(self._is_quiet)
        return OrderResult(
            order_id=self.state.order_id,
            status=self.state.status(),
            fulfilments=len(self.state.fulfilments),
            finished_at=workflow.now(),
        )

    def _cancellation_requested(self) -> None:
        """Temporal was asked to cancel the workflow."""
        self._under_way.append(asyncio.create_task(logged_if_refused(self._cancel_the_rest())))

    async def _cancel_the_rest(self) -> None:
        await self._cancellations.cancel_the_rest(await self._decided())

    def _is_quiet(self) -> bool:
        """A handler may have an answer yet to give, or a late report to write: all are asked at the same moment."""
        return workflow.all_handlers_finished() and all(task.done() for task in self._under_way)

    def _is_over(self) -> bool:
        return not self._under_way and self.state.status() in FINAL_ORDER

    async def _something_happens(self) -> bool:
        """Wait for news; False if there is none while units wait for stock, and it is time to look again."""
        try:
            await workflow.wait_condition(
                self._has_news,
                timeout=self._waiting.patience(workflow.now()) if self.state.backordered else None,
                timeout_summary=self._board.waiting_summary(self.state),
            )
        except TimeoutError:
            return False
        return True

    def _has_news(self) -> bool:
        return bool(
            (self.state.backordered and (self._source_why or self._waiting.cancels))
            or self._looks_told > self._looks_taken_in
            or any(task.done() for task in self._under_way)
            or self._is_over()
            or self._may_continue()
        )

    def _may_continue(self) -> bool:
        """Whether the history is long, and all that was done stands in the store."""
        return continuing.is_due(self._start, self.one_at_a_time, self._processes, self._under_way)

    def _settle_fulfilments(self) -> None:
        """Let go of the fulfilments that ended; what went wrong in one of them must not stay unheard."""
        ended = [task for task in self._under_way if task.done()]
        self._under_way = [task for task in self._under_way if not task.done()]
        for task in ended:
            task.result()

    # --- going on where the store stands -----------------------------------------------------------------------------

    async def _resume(self) -> bool:
        """Go on with an order that an earlier run of its process began; False if the store does not hold it."""
        found = await resuming.read(self.state.order_id, self._start.revived_by)
        if found is None:
            return False
        resuming.fill(self.state, found)
        for each in found.fulfilments:
            process = self._follow(self.state.fulfilments[each.fulfilment_id])
            process.go_on(tuple(resuming.unheard(each)), resuming.lost_at(each))
            self._under_way += [asyncio.create_task(process.void_booking(attempt)) for attempt in each.to_void]
        self._cancellations.go_on(found.done, found.done_requests)
        self._sourcings, self._as_of = found.sourcings, max(self._as_of, found.as_of)
        self._looks_taken_in, self._looks_told = found.looks, max(self._looks_told, found.looks)
        self._waiting.go_on(found.sourced, found.failed_nodes, timedelta(seconds=found.waiting_seconds), workflow.now())
        if_none = None if self._start.continued else SourcingCause.LOOKED_AGAIN
        self._source_why = self._source_why or found.cause or if_none
        self._accepted = found.sourced.model_copy(update={"promise": found.promise})
        self._first_caller = self._first_caller if found.captured_here else resuming.EARLIER_RUN
        self._board.promised(found.promise)
        self.show()
        return True

    @workflow.query
    def standing(self) -> OrderStanding:
        """Where the process believes the order to stand."""
        return resuming.standing(self.state, captured=self._accepted is not None)

    # --- sourcing ----------------------------------------------------------------------------------------------------

    def _take_in(self, sourced: Sourced) -> None:
        """Follow each new fulfilment, side by side."""
        for released in sourced.fulfilments:
            state = as_state(released)
            self.state.add(state)
            self._follow(state)
        self._waiting.heed(sourced, workflow.now())
        self._board.promised(sourced.promise)

    def _follow(self, state: FulfilmentState) -> FulfilmentProcess:
        process = self._processes[state.id] = FulfilmentProcess(self, state)
        process.inbox.extend(told for told in self._early if told[1].fulfilment_id == state.id)
        self._under_way.append(asyncio.create_task(process.run()))
        return process

    def committed(self, change: OrderChange) -> None:
        """A change was written: take it over, and source again what lost its node."""
        self.state = apply(self.state, change)
        if anew := change.source_anew:
            self._source_why, self._next_place = anew.cause, BEFORE_ALL
            self._as_of = max(self._as_of, anew.at)
            self._waiting.failed_nodes.update([anew.failed_node] if anew.failed_node else [])
        for trouble in change.troubles:
            self.trouble(trouble.kind, trouble.data["fulfilment_id"])
        self.show()

    async def _source(self, cause: SourcingCause) -> None:
        async with self.one_at_a_time.step(self._place):
            self._source_why = None
            if not self.state.backordered:
                return
            self._sourcings += 1
            failed = cause in FAILED_SOURCING
            request = self._waiting.sourcing(self.state, self._sourcings, cause, self._as_of)
            summary = self._board.source_summary(self.state, cause)
            sourced: Sourced = await local(SourcingActivities.source_again, request, summary)
            self._take_in(sourced)
            if sourced.known:  # decided when this was tried before; what was told since is not in it
                self._source_why = self._source_why or cause
            if failed and sourced.waiting:
                self.trouble("backorder", "units lost their node, and no other has stock")
            self.show()

    async def _give_up_waiting(self, reason: str) -> None:
        async with self.one_at_a_time.step(self._place):
            if self.state.backordered:
                await self._cancellations.write(GiveUpWaiting(reason=reason, at=workflow.now()))

    @workflow.signal
    async def stock_arrived(self, news: StockArrived) -> None:
        """Stock that the order may wait for came in."""
        self._next_place = min(self._next_place, self.one_at_a_time.told())
        self._as_of = max(self._as_of, news.occurred_at)
        self._source_why = self._source_why or SourcingCause.STOCK_ARRIVED

    @workflow.signal
    def looked_again(self, news: LookedAgain) -> None:
        """Work that no node had begun was given to other nodes."""
        self._next_place = min(self._next_place, self.one_at_a_time.told())
        self._looks_told = max(self._looks_told, news.number)

    async def _look_again(self) -> None:
        async with self.one_at_a_time.step(self._place):
            if self._looks_told > self._looks_taken_in:
                await self.take_in_second_looks()

    async def take_in_second_looks(self) -> None:
        """Take in what second looks changed: let go of recalled fulfilments, and follow those that have their units."""
        request = TakeIn(order_id=self.state.order_id, after=self._looks_taken_in)
        summary = "Take in what a second look gave to other nodes"
        answer: Looks = await local(LookingAgain.take_in_second_looks, request, summary)
        for look in answer.looks:
            for state in self.state.replan(look.recalled, [as_state(released) for released in look.released]):
                self._follow(state)
            self._looks_taken_in = look.number
        self._looks_told = max(self._looks_told, self._looks_taken_in)
        self.show()

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
            **(self._accepted.told if self._accepted else {"promise": None}),
            order_id=self.state.order_id,
            status=self.state.status(),
            created=caller is not None and caller.id == self._first_caller,
        )

    @accept.validator
    def _is_the_same_order(self, call: AcceptCall) -> None:
        if call.content_hash != self.order.content_hash():
            number = f"{self.order.channel} order {self.order.external_id}"
            raise as_application_error(OrderConflict(f"{number} was captured with other content", field="external_id"))

    async def _decided(self) -> int:
        """Wait until the order is accepted; answers the caller's place in the sequence. Raises the refusal."""
        place = self.one_at_a_time.told()
        await workflow.wait_condition(lambda: self._accepted is not None or self._refused is not None)
        if self._refused is not None:
            raise again(self._refused)
        return place

    @workflow.update
    async def cancel(self, call: CancelCall) -> CancelAnswer:
        """Cancel units before hand-over, whole or by line; all that is asked or nothing."""
        request_hash = call.content_hash("cancel")
        with answering(request_hash):
            result = await self._cancel(call)
        self._answers.note()
        return CancelAnswer(**dict(result), request_hash=self._cancellations.request_before() or request_hash)

    @cancel.validator
    def _can_be_cancelled(self, call: CancelCall) -> None:
        self._cancellations.check(call)

    @workflow.signal
    async def cancel_requested(self, call: CancelCall) -> None:
        """The same from the Temporal UI or CLI; what cannot be cancelled is logged."""
        await logged_if_refused(self._cancel(call))

    async def _cancel(self, call: CancelCall) -> CancelResult:
        return await self._cancellations.cancel(await self._decided(), call)

    @workflow.update
    async def arrived(self, call: ArrivedCall) -> ArrivedResult:
        """A lost parcel arrived after all: it counts as delivered, and what replaces it stays where it is."""
        place = await self._decided()  # a process that begins anew knows its fulfilments only then
        if call.fulfilment_id not in self._processes:
            raise as_application_error(NotFound(f"the order has no fulfilment {call.fulfilment_id}"))
        result = await self._processes[call.fulfilment_id].arrived(place, call)
        self._answers.note()
        return result

    # --- reports, the board ------------------------------------------------------------------------------------------

    @workflow.signal
    def node_report(self, report: NodeReport) -> None:
        """A node says how far its work is."""
        self._hand_on(report)

    @workflow.signal
    def carrier_report(self, report: CarrierReport) -> None:
        """A carrier says what became of a shipment."""
        self._hand_on(report)

    def _hand_on(self, report: NodeReport | CarrierReport) -> None:
        told = self.one_at_a_time.told(), report
        process = self._processes.get(report.fulfilment_id)
        if process is None:
            # The work list shows what is committed; a worker that dies right then accepts anew, after this report.
            self._early.append(told)
        else:
            process.inbox.append(told)
            if process.is_over:
                self._under_way.append(asyncio.create_task(process.catch_up()))

    def trouble(self, kind: str, about: str) -> None:
        """Something stands in the exception queue: say so in the report."""
        self._board.note(f"{kind}: {about}")

    def show(self) -> None:
        """Let people see in the Temporal UI where the order stands."""
        self._board.show(self.state)
