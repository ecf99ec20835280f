"""The life of a return: the store decides each command, the process waits, expires and ends."""

from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.returning import CommitReturn, OpenReturn, Returning, ReturnView
    from dom.orders.return_calls import CancelReturnCall, CloseReturnCall, InspectCall, ReceiveCall, ReturnRequest
    from dom.orders.status import ReturnStatus
    from dom.returns import CancelReturn, CloseReturn, ExpireReturn, Inspect, Receive, Step
    from dom.shared.access import EXPIRY, TEMPORAL
    from dom.shared.money import Money
    from workflows.activity_calls import REFUSALS, again, answering, local, refusal
    from workflows.attributes import CHANNEL, CUSTOMER, NODE, STATUS
    from workflows.messages import (
        EDITION,
        REFUSED,
        ReturnAnswer,
        ReturnEnd,
        ReturnInput,
        ReturnStanding,
        ReturnStepAnswer,
    )
    from workflows.order.sequence import AFTER_ALL, OneAtATime
    from workflows.runs import ANSWERS_LEAVE, EARLIER_RUN, Answers, CancellationRequest, is_long
    from workflows.words import counted, listed

_NEXT_RUN: Final = {"edition": EDITION, "continued": True, "revived_by": None}
"""What the next run of a return's process starts with, otherwise than this one."""
_LOOK_AGAIN_AFTER: Final = timedelta(seconds=1)
"""The store's clock decides whether time is over: if it is a moment behind, it is asked again."""


def start_summary(request: ReturnRequest) -> str:
    """A return in one line, for lists of the Temporal UI."""
    return f"return of {counted(sum(line.quantity for line in request.lines), 'unit')} of {request.order_id}"


@workflow.defn(name="Return")
class ReturnWorkflow:
    """One return, from permission to its end."""

    @workflow.init
    def __init__(self, start: ReturnInput) -> None:
        """Nothing is allowed yet."""
        self._start = start
        self._return_id = start.return_id
        self._request = start.request
        self._key = start.key
        self._view: ReturnView | None = None
        self._refused: ApplicationError | None = None
        self._first_caller: str | None = None
        self._expires_at: datetime | None = None
        self._one_at_a_time = OneAtATime()
        self._answers = Answers()
        self._cancellation = CancellationRequest(self._cancel_for_temporal)
        self._revived_by = start.revived_by
        self._shown: str | None = None
        self._notes: list[str] = []

    @workflow.run
    async def run(self, _start: ReturnInput) -> ReturnEnd:
        """Allow, wait for the goods and for what is found, end. Temporal's own cancellation cancels the return."""
        return await self._cancellation.beside(self._live())

    # --- the process -------------------------------------------------------------------------------------------------

    async def _live(self) -> ReturnEnd:
        await self._allow()
        if self._refused is not None:
            return await self._end_refused(self._refused)
        while not self._is_over():
            if self._may_continue() and await self._one_at_a_time.still(self._may_end_here):
                workflow.continue_as_new(self._start.model_copy(update=_NEXT_RUN))
            if not await self._something_happens():
                await self._commit(ExpireReturn(), CancelReturnCall(actor=EXPIRY), "Let go what has not come in time")
        await workflow.wait_condition(self._is_quiet)
        while self._answers.are_leaving():
            await workflow.sleep(ANSWERS_LEAVE)
            await workflow.wait_condition(self._is_quiet)
        view = await self._allowed()
        return ReturnEnd(
            return_id=self._return_id,
            order_id=self._request.order_id,
            status=view.stands,
            refund=view.refund,
            currency=view.currency,
        )

    async def _allow(self) -> None:
        request = self._request
        try:
            opened: ReturnView = await local(
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
                    continued=self._start.continued,
                    run_id=workflow.info().run_id,
                    key=self._key,
                ),
                f"Allow the return of {counted(len(request.lines), 'line')} of {request.order_id}",
            )
        except REFUSALS as error:
            self._refused = refusal(error)
            return
        if opened.earlier:
            self._first_caller = EARLIER_RUN
        workflow.upsert_search_attributes(
            [
                CHANNEL.value_set(opened.channel),
                CUSTOMER.value_set(opened.customer_id),
                NODE.value_set([opened.node_id]),
            ]
        )
        self._take(opened)

    async def _end_refused(self, refused: ApplicationError) -> ReturnEnd:
        """Nothing went wrong: the caller has the answer."""
        reason = f"{refused.type}: {refused.message}"
        self._notes.append(reason)
        self._show(REFUSED)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return ReturnEnd(return_id=self._return_id, order_id=self._request.order_id, status=REFUSED, reason=reason)

    async def _something_happens(self) -> bool:
        """Wait for news; False if there is none until what is outstanding is to be let go."""
        known = self._view
        left = None if self._expires_at is None else max(self._expires_at - workflow.now(), _LOOK_AGAIN_AFTER)
        try:
            await workflow.wait_condition(
                lambda: self._view is not known or self._may_continue(),
                timeout=left,
                timeout_summary="Until what is outstanding is let go",
            )
        except TimeoutError:
            return False
        return True

    def _may_continue(self) -> bool:
        """Whether the history is long, and everything that was told and done stands in the store."""
        return is_long(self._start.most_events) and self._is_quiet() and self._one_at_a_time.at_rest

    def _may_end_here(self) -> bool:
        return self._may_continue() and not self._answers.are_leaving()

    def _is_over(self) -> bool:
        return self._view is not None and self._view.ended

    def _is_quiet(self) -> bool:
        """Every caller has its answer, and nothing is asked."""
        return workflow.all_handlers_finished() and self._cancellation.is_carried_out

    async def _commit(
        self,
        command: Step,
        call: ReceiveCall | InspectCall | CancelReturnCall,
        summary: str,
        *,
        request: str = "",
        request_hash: str = "",
        place: int = AFTER_ALL,
    ) -> ReturnView:
        """Have the store decide and write a command; its answer is how the return stands."""
        async with self._one_at_a_time.step(place):
            view: ReturnView = await local(
                Returning.commit_return,
                CommitReturn(
                    return_id=self._return_id,
                    order_id=self._request.order_id,
                    command=command,
                    actor=call.actor,
                    reason=call.reason if isinstance(call, CancelReturnCall) else "",
                    occurred_at=call.occurred_at,
                    request=request or str(workflow.uuid4()),
                    request_hash=request_hash,
                    answered=workflow.current_update_info() is not None,
                ),
                summary,
            )
            self._take(view)
        return view

    def _take(self, view: ReturnView) -> None:
        """Go by how the return stands."""
        self._view = view
        left = view.expires_in
        self._expires_at = None if left is None else workflow.now() + timedelta(seconds=left)
        self._show(view.stands)

    async def _cancel_for_temporal(self) -> None:
        call = CancelReturnCall(actor=TEMPORAL, reason="cancelled by an operator")
        words = "Cancellation requested in Temporal: nothing more is to come of it; what came goes its way"
        try:
            await self._allowed()
            await self._commit(CancelReturn(), call, "Cancel what has not come")
        except ApplicationError as error:
            words = f"Cancellation requested in Temporal: refused. {error.message}"
            workflow.logger.warning("return %s: %s", self._return_id, words)
        self._notes.append(words)
        if self._view is not None:
            self._show(self._view.stands)

    def _show(self, status: str) -> None:
        """The return as Markdown, in lists: the Temporal UI runs the columns of a table together."""
        view = self._view
        announced = view.announced if view else {n.line_id: n.quantity for n in self._request.lines}
        refund = view and view.refund and Money(amount=view.refund, currency=view.currency)
        parts = [
            f"**Return {self._return_id}** of order {self._request.order_id}: **{status}**",
            f"Reason: {self._request.reason or 'not given'}",
            f"Its carrier brings back the parcel of {view.parcel}" if view and view.parcel else "",
            f"Goes to {view.node_id}, customer {view.customer_id}" if view else "",
            f"Expires at {view.expires_at:%Y-%m-%d %H:%M} UTC" if view and view.expires_at else "",
            listed("Notes", self._notes),
            listed("Lines", [_line(line_id, units, view) for line_id, units in announced.items()]),
            f"Refund recorded: {refund}" if refund else "",
        ]
        workflow.set_current_details("\n\n".join(part for part in parts if part))
        if status != self._shown:
            self._shown = status
            workflow.upsert_search_attributes([STATUS.value_set(status)])

    # --- what is asked of it -----------------------------------------------------------------------------------------

    @workflow.query
    def standing(self) -> ReturnStanding:
        """Where the process believes the return to stand."""
        status = ReturnStatus.REQUESTED if self._view is None else self._view.stands
        return ReturnStanding(captured=self._view is not None, status=status)

    @workflow.update
    async def accept(self) -> ReturnAnswer:
        """The answer to the one who asked for the return; or why it is refused."""
        caller = workflow.current_update_info()
        if self._first_caller is None and caller is not None:
            self._first_caller = caller.id
        view = await self._allowed()
        self._answers.note()
        return ReturnAnswer(
            return_id=self._return_id,
            order_id=self._request.order_id,
            status=view.stands,
            node_id=view.node_id,
            created=caller is not None and caller.id == self._first_caller,
            request_hash=None if self._start.restored else self._request.content_hash("request"),
        )

    @workflow.update
    async def receive(self, call: ReceiveCall) -> ReturnStepAnswer:
        """Goods arrived at the node."""
        lines = None if call.lines is None else tuple((line.line_id, line.quantity) for line in call.lines)
        return await self._answer(Receive(lines=lines), call, "receive", "Receive what arrived")

    @workflow.update
    async def inspect(self, call: InspectCall) -> ReturnStepAnswer:
        """Goods were looked at: restock what can be sold again, refund the customer."""
        found = tuple((line.line_id, line.disposition, line.quantity) for line in call.lines)
        summary = "Restock what can be sold again and record the refund"
        return await self._answer(Inspect(found=found), call, "inspect", summary)

    @workflow.update
    async def cancel(self, call: CancelReturnCall) -> ReturnStepAnswer:
        """The customer keeps what has not arrived."""
        return await self._answer(CancelReturn(), call, "cancel", "Cancel what has not come")

    @workflow.update
    async def close(self, call: CloseReturnCall) -> ReturnStepAnswer:
        """Something arrived, and nothing more is expected."""
        return await self._answer(CloseReturn(), call, "close", "Expect nothing more")

    async def _answer(
        self, command: Step, call: ReceiveCall | InspectCall | CancelReturnCall, operation: str, summary: str
    ) -> ReturnStepAnswer:
        """Carry a command out for a caller, once for the update's id, in whichever run it comes again."""
        place, caller = self._one_at_a_time.received(), workflow.current_update_info()
        request_hash = call.content_hash(operation)
        with answering(request_hash):
            await self._allowed()
            view = await self._commit(
                command, call, summary, request=caller.id if caller else "", request_hash=request_hash, place=place
            )
        self._answers.note()
        return ReturnStepAnswer(
            return_id=self._return_id,
            order_id=self._request.order_id,
            status=view.status,
            refund=view.refund,
            currency=view.currency,
            request_hash=request_hash,
        )

    async def _allowed(self) -> ReturnView:
        await workflow.wait_condition(lambda: self._view is not None or self._refused is not None)
        if self._refused is not None or self._view is None:
            raise again(self._refused or ApplicationError("not allowed"))
        return self._view


def _line(line_id: str, units: int, view: ReturnView | None) -> str:
    """How far a line's units are."""
    words = f"line {line_id}: {units} announced"
    if view is None:
        return words
    words += f", {view.received.get(line_id, 0)} received, {view.inspected.get(line_id, 0)} inspected"
    released = view.released.get(line_id, 0)
    return words + (f", {released} not expected any more" if released else "")
