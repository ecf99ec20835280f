"""The life of an order."""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities import capture
    from activities.cancelling import Cancelling, CancelPart, CancelUnits
    from activities.cancelling import occasion as cancelled
    from activities.capture import AcceptOrder, Capture
    from activities.looking_again import Answer, LookingAgain, Looks, TakeIn
    from activities.sourcing import Released, SourceAgain, Sourced, Sourcing
    from activities.sourcing import occasion as sourced_again
    from dom.errors import DomError, InvalidInput, OrderConflict
    from dom.lifecycle import CancelledUnits, FulfilmentState, LineState, OrderState
    from dom.status import FAILED_SOURCING, FINAL_ORDER, FulfilmentStatus, SourcingCause
    from workflows.fulfilment import FulfilmentProcess
    from workflows.messages import (
        AcceptCall,
        CancelAnswer,
        CancelCall,
        CancelResult,
        CarrierReport,
        LookedAgain,
        NodeReport,
        OrderAnswer,
        OrderInput,
        OrderResult,
        StockArrived,
    )
    from workflows.platform import REFUSED, again, answering, as_refusal, local, refusal
    from workflows.report import OrderBoard
    from workflows.telling import send
    from workflows.waiting import Waiting

_TO_PACK_ANEW = frozenset({FulfilmentStatus.PACKED, FulfilmentStatus.BOOKED})
_ASKED_FIRST = "a cancellation is written before it is applied"
"""The patch that orders from before second looks replay without."""


@workflow.defn(name="Order")
class OrderWorkflow:
    """One order, from the channel's hand-over until every unit is delivered, collected or cancelled."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        """Every unit waits, until sourcing gives it to a node."""
        self.order = start.order
        self.state = OrderState(
            order_id=start.order.order_id,
            lines={
                line.line_id: LineState(
                    line.line_id, line.sku, line.quantity, line.unit_price, backordered=line.quantity
                )
                for line in start.order.lines
            },
        )
        self.one_at_a_time = asyncio.Lock()
        self._board = OrderBoard(start.order)
        self._content_hash = start.order.content_hash()
        self._corrections = start.corrections
        self._first_caller: str | None = None
        self._accepted: Sourced | None = None
        self._refused: ApplicationError | None = None
        self._processes: dict[str, FulfilmentProcess] = {}
        self._early: list[NodeReport | CarrierReport] = []
        self._under_way: list[asyncio.Task[None]] = []
        self._messages: list[asyncio.Task[None]] = []
        self._sourcings = capture.FIRST_ATTEMPT
        self._source_why: SourcingCause | None = None
        self._as_of = start.order.placed_at
        self._waiting = Waiting(workflow.now())
        self._looks_told = 0
        self._looks_taken_in = 0
        self._cancellations = 0

    @workflow.run
    async def run(self, _start: OrderInput) -> OrderResult:
        """Accept the order, fulfil it, finish it."""
        await self._accept()
        await self._fulfil()
        return await self._finish()

    # --- the process -------------------------------------------------------------------------------------------------

    async def _accept(self) -> None:
        """Record, plan, reserve and release in one transaction. A refused order leaves nothing behind."""
        try:
            request = AcceptOrder(order=self.order, corrections=self._corrections)
            sourced: Sourced = await local(Capture.accept_order, request, self._board.accept_summary())
        except REFUSED as error:
            self._refused = refusal(error)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise again(self._refused) from error
        self._take_in(sourced)
        self._accepted = sourced
        self.tell(capture.OCCASION)
        self.show()

    async def _fulfil(self) -> None:
        """Until every unit is where it belongs: follow the fulfilments, and source anew what waits."""
        self._waiting.since = workflow.now()
        while not self._is_over():
            if not await self._something_happens():
                self._source_why = self._source_why or SourcingCause.LOOKED_AGAIN
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
        """The last messages go out, callers get their answers, and the order is over."""
        await workflow.wait_condition(self._is_quiet)
        return OrderResult(
            order_id=self.state.order_id,
            status=self.state.status(),
            fulfilments=len(self.state.fulfilments),
            finished_at=workflow.now(),
        )

    def _is_quiet(self) -> bool:
        """A handler may have a message yet to send: both are asked at the same moment."""
        return workflow.all_handlers_finished() and all(message.done() for message in self._messages)

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
        )

    def _settle_fulfilments(self) -> None:
        """Let go of the fulfilments that ended; what went wrong in one of them must not stay unheard."""
        ended = [task for task in self._under_way if task.done()]
        self._under_way = [task for task in self._under_way if not task.done()]
        for task in ended:
            task.result()

    # --- sourcing ----------------------------------------------------------------------------------------------------

    def _take_in(self, sourced: Sourced) -> None:
        """Follow each new fulfilment, side by side."""
        for released in sourced.fulfilments:
            state = _as_state(released)
            self.state.add(state)
            self._follow(state)
        self._waiting.heed(sourced, workflow.now())

    def _follow(self, state: FulfilmentState) -> None:
        process = self._processes[state.id] = FulfilmentProcess(self, state)
        process.inbox.extend(report for report in self._early if report.fulfilment_id == state.id)
        self._under_way.append(asyncio.create_task(process.run()))

    def source_again(self, cause: SourcingCause, at: datetime, failed_node: str | None = None) -> None:
        """Units wait for another node; the main loop takes it up."""
        self._source_why = cause
        self._as_of = max(self._as_of, at)
        if failed_node is not None:
            self._waiting.failed_nodes.add(failed_node)

    async def _source(self, cause: SourcingCause) -> None:
        async with self.one_at_a_time:
            self._source_why = None
            if not self.state.backordered:
                return
            self._sourcings += 1
            failed = cause in FAILED_SOURCING
            request = SourceAgain(
                order_id=self.state.order_id,
                lines=self.state.waiting,
                excluded_nodes=self._waiting.excluded(failed=failed),
                attempt=self._sourcings,
                cause=cause,
                as_of=self._as_of,
                order_status=self.state.status_with_new_work(),
            )
            sourced: Sourced = await local(
                Sourcing.source_again, request, self._board.source_summary(self.state, cause)
            )
            self._take_in(sourced)
            if failed and sourced.waiting:
                self.tell(sourced_again(request.attempt))
            self.show()

    async def _give_up_waiting(self, reason: str) -> None:
        async with self.one_at_a_time:
            units = [CancelledUnits(line_id, quantity, None) for line_id, quantity in self.state.waiting.items()]
            if not units:
                return
            await self._cancel_units(units, CancelCall(reason=reason, actor="ofl"))

    @workflow.signal
    async def stock_arrived(self, news: StockArrived) -> None:
        """Stock that the order may wait for came in."""
        self._as_of = max(self._as_of, news.occurred_at)
        self._source_why = self._source_why or SourcingCause.STOCK_ARRIVED

    # --- second looks ------------------------------------------------------------------------------------------------

    @workflow.signal
    def looked_again(self, news: LookedAgain) -> None:
        """Work that no node had begun was given to other nodes."""
        self._looks_told = max(self._looks_told, news.number)

    async def _look_again(self) -> None:
        async with self.one_at_a_time:
            if self._looks_told > self._looks_taken_in:
                await self.take_in_second_looks()

    async def take_in_second_looks(self) -> None:
        """Take in what second looks changed: let go of recalled fulfilments, and follow those that have their units."""
        request = TakeIn(order_id=self.state.order_id, after=self._looks_taken_in)
        answer: Looks = await local(
            LookingAgain.take_in_second_looks, request, "Take in what a second look gave to other nodes"
        )
        for look in answer.looks:
            for state in self.state.replan(look.recalled, [_as_state(released) for released in look.released]):
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
        promise = self._accepted.promise if self._accepted else None
        return OrderAnswer(
            order_id=self.state.order_id,
            status=self.state.status(),
            promise=promise,
            created=caller is not None and caller.id == self._first_caller,
        )

    @accept.validator
    def _is_the_same_order(self, call: AcceptCall) -> None:
        if call.content_hash != self._content_hash:
            number = f"{self.order.channel} order {self.order.external_id}"
            raise as_refusal(OrderConflict(f"{number} was captured with other content", field="external_id"))

    async def _decided(self) -> None:
        """Wait until the order is accepted. Raises the refusal if it is not."""
        await workflow.wait_condition(lambda: self._accepted is not None or self._refused is not None)
        if self._refused is not None:
            raise again(self._refused)

    # --- cancelling --------------------------------------------------------------------------------------------------

    @workflow.update
    async def cancel(self, call: CancelCall) -> CancelAnswer:
        """Cancel units before hand-over, whole or by line; all that is asked or nothing."""
        request_hash = call.content_hash("cancel")
        with answering(request_hash):
            result = await self._cancel(call)
        return CancelAnswer(**dict(result), request_hash=request_hash)

    @cancel.validator
    def _can_be_cancelled(self, call: CancelCall) -> None:
        self._plan_cancellation(call)

    @workflow.signal
    async def cancel_requested(self, call: CancelCall) -> None:
        """The same from the Temporal UI or CLI; what cannot be cancelled is logged."""
        try:
            await self._cancel(call)
        except ApplicationError as error:
            workflow.logger.warning("not cancelled: %s", error.message)

    async def _cancel(self, call: CancelCall) -> CancelResult:
        await self._decided()
        async with self.one_at_a_time:
            units = self._plan_cancellation(call)
            while not await self._cancel_units(units, call):
                await self.take_in_second_looks()
                units = self._plan_cancellation(call)
        cancelled_units: dict[str, int] = {}
        for part in units:
            cancelled_units[part.line_id] = cancelled_units.get(part.line_id, 0) + part.quantity
        return CancelResult(order_id=self.state.order_id, status=self.state.status(), cancelled=cancelled_units)

    def _plan_cancellation(self, call: CancelCall) -> Sequence[CancelledUnits]:
        try:
            return self.state.plan_cancellation(self._asked(call))
        except DomError as error:
            raise as_refusal(error) from error

    def _asked(self, call: CancelCall) -> dict[str, int] | None:
        if call.lines is None:
            return None
        asked: dict[str, int] = {}
        for position, line in enumerate(call.lines):
            known = self.state.lines.get(line.line_id)
            if known is None or line.line_id in asked:
                problem = "stands twice" if line.line_id in asked else "is not in the order"
                raise InvalidInput(f"line {line.line_id} {problem}", field=f"lines[{position}].line_id")
            asked[line.line_id] = line.quantity or known.quantity - known.cancelled
        return asked

    async def _cancel_units(self, units: Sequence[CancelledUnits], call: CancelCall) -> bool:
        """Cancel the planned units; False, and nothing has happened, if a second look took some of the work back."""
        asked_first = workflow.patched(_ASKED_FIRST)
        state = deepcopy(self.state) if asked_first else self.state
        ended, reopened = _take_out(state, units)
        request = CancelUnits(
            order_id=self.state.order_id,
            number=self._cancellations + 1,
            parts=tuple(
                CancelPart(line_id=part.line_id, quantity=part.quantity, fulfilment_id=part.fulfilment_id)
                for part in units
            ),
            ended=ended,
            reopened=reopened,
            order_status=state.status(),
            actor=call.actor,
            reason=call.reason,
            occurred_at=call.occurred_at,
        )
        answer: Answer | None = await local(Cancelling.cancel_units, request, self._board.cancel_summary(units))
        if answer is Answer.RECALLED:
            return False
        if asked_first:
            _take_out(self.state, units)
        self._cancellations = request.number
        self.tell(cancelled(request.number))
        self.show()
        return True

    # --- reports, messages, the board --------------------------------------------------------------------------------

    @workflow.signal
    def node_report(self, report: NodeReport) -> None:
        """A node says how far its work is."""
        self._hand_on(report)

    @workflow.signal
    def carrier_report(self, report: CarrierReport) -> None:
        """A carrier says what became of a shipment."""
        self._hand_on(report)

    def _hand_on(self, report: NodeReport | CarrierReport) -> None:
        process = self._processes.get(report.fulfilment_id)
        if process is None:
            # The work list shows what is committed; a worker that dies right then accepts anew, after this report.
            self._early.append(report)
        else:
            process.inbox.append(report)
            if process.is_over:
                self._under_way.append(asyncio.create_task(process.catch_up()))

    def tell(self, occasion: str) -> None:
        """Send what was written for an occasion; the process goes on meanwhile."""
        sending = send(self.state.order_id, occasion, f"Tell {self.order.customer.id}: {occasion}")
        self._messages.append(asyncio.create_task(sending))

    def show(self) -> None:
        """Let people see in the Temporal UI where the order stands."""
        self._board.show(self.state)


def _as_state(released: Released) -> FulfilmentState:
    return FulfilmentState(released.fulfilment_id, released.node_id, released.pickup, dict(released.lines))


def _take_out(state: OrderState, units: Sequence[CancelledUnits]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cancel planned units; answers the fulfilments that ended, and those that are to be packed anew."""
    touched = {part.fulfilment_id for part in units if part.fulfilment_id is not None}
    ended = state.apply_cancellation(units)
    reopened = [f for f in state.fulfilments.values() if f.id in touched and f.status in _TO_PACK_ANEW]
    for fulfilment in reopened:
        fulfilment.status = FulfilmentStatus.PICKED
    return tuple(f.id for f in ended), tuple(f.id for f in reopened)
