"""The life of an order."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities import capture
    from activities.cancelling import Cancelling, CancelPart, CancelUnits
    from activities.cancelling import occasion as cancelled
    from activities.capture import AcceptOrder, Capture
    from activities.sourcing import SourceAgain, Sourced, Sourcing
    from activities.sourcing import occasion as sourced_again
    from dom.errors import DomError, InvalidInput, OrderConflict
    from dom.lifecycle import CancelledUnits, FulfilmentState, LineState, OrderState
    from dom.status import FAILED_SOURCING, FINAL_ORDER, FulfilmentStatus, SourcingCause
    from workflows.fulfilment import FulfilmentProcess
    from workflows.messages import (
        AcceptCall,
        CancelCall,
        CancelResult,
        CarrierReport,
        NodeReport,
        OrderAnswer,
        OrderInput,
        OrderResult,
        StockArrived,
    )
    from workflows.platform import REFUSED, again, as_refusal, local, refusal
    from workflows.report import OrderBoard
    from workflows.telling import send

_TO_PACK_ANEW = frozenset({FulfilmentStatus.PACKED, FulfilmentStatus.BOOKED})


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
        self._failed_nodes: set[str] = set()
        self._cancellations = 0
        self._retry_after = timedelta()
        self._give_up_after = timedelta()
        self._released_at: datetime | None = None

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
            sourced: Sourced = await local(
                Capture.accept_order, AcceptOrder(order=self.order), self._board.accept_summary()
            )
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
        waiting_since = workflow.now()
        while not self._is_over():
            if not await self._something_happens():
                self._source_why = self._source_why or SourcingCause.LOOKED_AGAIN
            self._settle_fulfilments()
            if self._released_at is not None:
                waiting_since = workflow.now()
            if not self.state.backordered:
                waiting_since, self._source_why = workflow.now(), None
            elif self._released_at is None and workflow.now() - waiting_since >= self._give_up_after:
                await self._give_up_waiting()
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
                timeout=self._patience() if self.state.backordered else None,
                timeout_summary=self._board.waiting_summary(self.state),
            )
        except TimeoutError:
            return False
        return True

    def _patience(self) -> timedelta:
        """How long waiting units are left alone: until it is time to look again, or one of them is released."""
        if self._released_at is None:
            return self._retry_after
        return max(min(self._retry_after, self._released_at - workflow.now()), timedelta())

    def _has_news(self) -> bool:
        return bool(
            (self._source_why and self.state.backordered)
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
            state = FulfilmentState(released.fulfilment_id, released.node_id, released.pickup, dict(released.lines))
            self.state.add(state)
            process = self._processes[state.id] = FulfilmentProcess(self, state)
            process.inbox.extend(report for report in self._early if report.fulfilment_id == state.id)
            self._under_way.append(asyncio.create_task(process.run()))
        self._retry_after = timedelta(minutes=sourced.retry_minutes)
        self._give_up_after = timedelta(days=sourced.cancel_after_days)
        span = sourced.release_seconds
        self._released_at = None if span is None else workflow.now() + timedelta(seconds=span)

    def source_again(self, cause: SourcingCause, at: datetime, failed_node: str | None = None) -> None:
        """Units wait for another node; the main loop takes it up."""
        self._source_why = cause
        self._as_of = max(self._as_of, at)
        if failed_node is not None:
            self._failed_nodes.add(failed_node)

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
                # New stock may be anywhere: only a fresh failure leaves its node out.
                excluded_nodes=frozenset(self._failed_nodes) if failed else frozenset(),
                attempt=self._sourcings,
                first_fulfilment=len(self.state.fulfilments) + 1,
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

    async def _give_up_waiting(self) -> None:
        async with self.one_at_a_time:
            units = [CancelledUnits(line_id, quantity, None) for line_id, quantity in self.state.waiting.items()]
            if not units:
                return
            await self._cancel_units(units, CancelCall(reason="no stock came in time", actor="ofl"))

    @workflow.signal
    async def stock_arrived(self, news: StockArrived) -> None:
        """Stock that the order may wait for came in."""
        self._as_of = max(self._as_of, news.occurred_at)
        self._source_why = self._source_why or SourcingCause.STOCK_ARRIVED

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
    async def cancel(self, call: CancelCall) -> CancelResult:
        """Cancel units before hand-over, whole or by line; all that is asked or nothing."""
        return await self._cancel(call)

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
            await self._cancel_units(units, call)
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

    async def _cancel_units(self, units: Sequence[CancelledUnits], call: CancelCall) -> None:
        touched = {part.fulfilment_id for part in units if part.fulfilment_id is not None}
        ended = self.state.apply_cancellation(units)
        reopened = [
            fulfilment
            for fulfilment in self.state.fulfilments.values()
            if fulfilment.id in touched and fulfilment.status in _TO_PACK_ANEW
        ]
        for fulfilment in reopened:
            fulfilment.status = FulfilmentStatus.PICKED
        self._cancellations += 1
        request = CancelUnits(
            order_id=self.state.order_id,
            number=self._cancellations,
            parts=tuple(
                CancelPart(line_id=part.line_id, quantity=part.quantity, fulfilment_id=part.fulfilment_id)
                for part in units
            ),
            ended=tuple(fulfilment.id for fulfilment in ended),
            reopened=tuple(fulfilment.id for fulfilment in reopened),
            order_status=self.state.status(),
            actor=call.actor,
            reason=call.reason,
            occurred_at=call.occurred_at,
        )
        await local(Cancelling.cancel_units, request, self._board.cancel_summary(units))
        self.tell(cancelled(request.number))
        self.show()

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
