"""The life of a return."""

from collections.abc import Callable, Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.errors import as_application_error
    from activities.returning import (
        FinishReturn,
        OpenReturn,
        ReceiveReturn,
        Refund,
        Returning,
        ReturnOpened,
    )
    from dom import returns as rules
    from dom.orders.status import Disposition, ReturnStatus
    from dom.shared.errors import DomError, InvalidInput, StepNotPossible
    from dom.shared.money import Money
    from workflows.activity_calls import REFUSALS, again, answering, local, refusal
    from workflows.attributes import CHANNEL, CUSTOMER, NODE, STATUS
    from workflows.messages import (
        REFUSED,
        InspectCall,
        ReceiveCall,
        ReturnAnswer,
        ReturnEnd,
        ReturnInput,
        ReturnRequestLine,
        ReturnResult,
        ReturnStanding,
        ReturnStepAnswer,
    )
    from workflows.order.resuming import EARLIER_RUN
    from workflows.runs import is_first_run, undisturbed
    from workflows.words import counted, listed


@workflow.defn(name="Return")
class ReturnWorkflow:
    """One return, from permission to refund."""

    @workflow.init
    def __init__(self, start: ReturnInput) -> None:
        """Nothing is allowed yet."""
        self._return_id = start.return_id
        self._request = start.request
        self._key = start.key
        self._opened: ReturnOpened | None = None
        self._refused: ApplicationError | None = None
        self._first_caller: str | None = None
        self._received: ReceiveCall | None = None
        self._units: dict[str, int] = {}
        self._inspected: InspectCall | None = None
        self._status = ReturnStatus.REQUESTED
        self._refund: Refund | None = None
        self._edition = start.edition
        self._revived_by = start.revived_by
        self._notes: list[str] = []

    @workflow.run
    async def run(self, _start: ReturnInput) -> ReturnEnd:
        """Allow, receive, inspect, refund. Temporal's own cancellation is refused: goods may be on their way."""
        return await undisturbed(self._live(), self._refuse_to_cancel)

    async def _live(self) -> ReturnEnd:
        await self._allow()
        if self._refused is not None:
            return await self._end_refused(self._refused)
        if self._status is ReturnStatus.REQUESTED:
            await workflow.wait_condition(lambda: self._received is not None)
            await self._receive()
        if self._status is ReturnStatus.RECEIVED:
            await workflow.wait_condition(lambda: self._inspected is not None)
        await self._refund_it()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return ReturnEnd.model_validate(self._result().model_dump())

    async def _end_refused(self, refused: ApplicationError) -> ReturnEnd:
        """Nothing went wrong: the caller has the answer."""
        if self._edition < 1:
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise again(refused)
        reason = f"{refused.type}: {refused.message}"
        self._notes.append(reason)
        self._show(REFUSED)
        workflow.upsert_search_attributes([STATUS.value_set(REFUSED)])
        await workflow.wait_condition(workflow.all_handlers_finished)
        return ReturnEnd(return_id=self._return_id, order_id=self._request.order_id, status=REFUSED, reason=reason)

    def _refuse_to_cancel(self) -> None:
        words = "Cancellation requested in Temporal: refused. A return waits for its goods and has no cancellation"
        workflow.logger.warning("return %s: %s", self._return_id, words)
        self._notes.append(words)
        self._show(self._status)

    # --- the process -------------------------------------------------------------------------------------------------

    async def _allow(self) -> None:
        request = self._request
        try:
            self._opened = await local(
                Returning.open_return,
                OpenReturn(
                    return_id=self._return_id,
                    order_id=request.order_id,
                    lines=tuple((line.line_id, line.quantity) for line in request.lines),
                    reason=request.reason,
                    node_id=request.node_id,
                    actor=request.actor,
                    occurred_at=request.occurred_at,
                    revived_by=self._revived_by,
                    run_id=workflow.info().run_id,
                    key=self._key,
                ),
                f"Allow the return of {counted(len(request.lines), 'line')} of {request.order_id}",
            )
        except REFUSALS as error:
            self._refused = refusal(error)
            return
        if self._opened.earlier:
            self._first_caller = EARLIER_RUN
        if self._opened.known and is_first_run():
            self._go_on(self._opened)
        if self._edition >= 1:
            self._show(self._status)
            workflow.upsert_search_attributes(
                [
                    CHANNEL.value_set(self._opened.channel),
                    CUSTOMER.value_set(self._opened.customer_id),
                    NODE.value_set([self._opened.node_id]),
                    *([] if self._status is ReturnStatus.REQUESTED else [STATUS.value_set(self._status)]),
                ]
            )

    def _go_on(self, opened: ReturnOpened) -> None:
        """Go on where the store stands: an earlier run of the return's process is gone."""
        self._status = opened.status
        if opened.status is not ReturnStatus.REQUESTED:
            self._units, self._received = dict(opened.received), ReceiveCall()

    async def _receive(self) -> None:
        call = self._received or ReceiveCall()
        await local(
            Returning.receive_return,
            ReceiveReturn(
                return_id=self._return_id,
                order_id=self._request.order_id,
                units=self._units,
                actor=call.actor,
                occurred_at=call.occurred_at,
            ),
            f"Receive {counted(sum(self._units.values()), 'unit')}",
        )
        self._comes_to(ReturnStatus.RECEIVED)

    async def _refund_it(self) -> None:
        call = self._inspected
        self._refund = await local(
            Returning.finish_return,
            FinishReturn(
                return_id=self._return_id,
                order_id=self._request.order_id,
                node_id=self._opened.node_id if self._opened else "",
                found=_found(call),
                actor=call.actor if call else "node",
                occurred_at=call.occurred_at if call else None,
            ),
            "Restock what can be sold again and record the refund",
        )
        self._comes_to(ReturnStatus.REFUNDED)

    def _comes_to(self, status: ReturnStatus) -> None:
        if self._status is status:
            return
        self._status = status
        self._show(status)
        workflow.upsert_search_attributes([STATUS.value_set(status)])

    def _show(self, status: str) -> None:
        """The return as Markdown, in lists: the Temporal UI runs the columns of a table together."""
        announced = self._opened.announced if self._opened else {n.line_id: n.quantity for n in self._request.lines}
        found = _found(self._inspected)
        refund = self._refund and Money(amount=self._refund.amount, currency=self._refund.currency)
        parts = [
            f"**Return {self._return_id}** of order {self._request.order_id}: **{status}**",
            f"Reason: {self._request.reason or 'not given'}",
            f"Goes to {self._opened.node_id}, customer {self._opened.customer_id}" if self._opened else "",
            listed("Notes", self._notes),
            listed(
                "Lines",
                [f"line {i}: {units} announced, {self._units.get(i, 0)} received" for i, units in announced.items()],
            ),
            listed("Inspection", [f"line {line_id}: {units} to {what}" for line_id, what, units in found]),
            f"Refund recorded: {refund}" if refund else "",
        ]
        workflow.set_current_details("\n\n".join(part for part in parts if part))

    def _result(self) -> ReturnResult:
        return ReturnResult(
            return_id=self._return_id,
            order_id=self._request.order_id,
            status=self._status,
            refund=self._refund.amount if self._refund else 0,
            currency=self._refund.currency if self._refund else "",
        )

    # --- what is asked of it -----------------------------------------------------------------------------------------

    @workflow.query
    def standing(self) -> ReturnStanding:
        """Where the process believes the return to stand."""
        return ReturnStanding(captured=self._opened is not None, status=self._status)

    @workflow.update
    async def accept(self) -> ReturnAnswer:
        """The answer to the one who asked for the return; or why it is refused."""
        caller = workflow.current_update_info()
        if self._first_caller is None and caller is not None:
            self._first_caller = caller.id
        opened = await self._allowed()
        return ReturnAnswer(
            return_id=self._return_id,
            order_id=self._request.order_id,
            status=self._status,
            node_id=opened.node_id,
            created=caller is not None and caller.id == self._first_caller,
            request_hash=self._request.content_hash("request"),
        )

    @workflow.update
    async def receive(self, call: ReceiveCall) -> ReturnStepAnswer:
        """The goods arrived at the node."""
        request_hash = call.content_hash("receive")
        with answering(request_hash):
            result = await self._note_received(call)
        return ReturnStepAnswer(**dict(result), request_hash=request_hash)

    async def _note_received(self, call: ReceiveCall) -> ReturnResult:
        opened = await self._allowed()
        units = dict(opened.announced) if call.lines is None else _units(call.lines)
        _check(lambda: rules.check_received(units, opened.announced))
        if self._received is None:
            self._units, self._received = units, call
        elif self._units != units:
            raise as_application_error(StepNotPossible(f"return {self._return_id} was received with other units"))
        await workflow.wait_condition(lambda: self._status is not ReturnStatus.REQUESTED)
        return self._result()

    @workflow.update
    async def inspect(self, call: InspectCall) -> ReturnStepAnswer:
        """The goods were looked at: restock what can be sold again, refund the customer."""
        request_hash = call.content_hash("inspect")
        with answering(request_hash):
            result = await self._note_inspected(call)
        return ReturnStepAnswer(**dict(result), request_hash=request_hash)

    async def _note_inspected(self, call: InspectCall) -> ReturnResult:
        if self._received is None:
            raise as_application_error(StepNotPossible(f"return {self._return_id} was not received yet"))
        _check(lambda: rules.check_inspected(_found(call), self._units))
        if self._inspected is None:
            self._inspected = call
        elif _found(self._inspected) != _found(call):
            raise as_application_error(StepNotPossible(f"return {self._return_id} was inspected with another result"))
        await workflow.wait_condition(lambda: self._status is ReturnStatus.REFUNDED)
        return self._result()

    async def _allowed(self) -> ReturnOpened:
        await workflow.wait_condition(lambda: self._opened is not None or self._refused is not None)
        if self._refused is not None or self._opened is None:
            raise again(self._refused or ApplicationError("not allowed"))
        return self._opened


def _units(lines: Sequence[ReturnRequestLine]) -> dict[str, int]:
    units = {line.line_id: line.quantity for line in lines}
    if len(units) < len(lines):
        raise as_application_error(InvalidInput("a line stands twice", field="lines"))
    return units


def _found(call: InspectCall | None) -> tuple[tuple[str, Disposition, int], ...]:
    lines = call.lines if call else ()
    return tuple((line.line_id, line.disposition, line.quantity) for line in lines)


def _check(rule: Callable[[], None]) -> None:
    try:
        rule()
    except DomError as error:
        raise as_application_error(error) from error
