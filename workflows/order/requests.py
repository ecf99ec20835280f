"""What an order's process is asked and told, by updates and by signals; the same from the API, the Temporal UI and CLI.

Each is one command to the store. A signal has no answer: what is refused is logged.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.errors import as_application_error
    from dom.orders.calls import ArrivedCall, ArrivedResult, CancelCall, HoldCall, ReleaseCall
    from dom.orders.views import OrderAfter
    from dom.shared.errors import DomError
    from workflows.activity_calls import REFUSALS, answering
    from workflows.messages import CancelAnswer, CarrierReport, NodeReport
    from workflows.order import asking
    from workflows.order.staff import StaffRequests
    from workflows.order.stored import StoredOrder, request_at
    from workflows.order.temporal_view import OrderBoard
    from workflows.runs import Answers


class OrderRequests(StaffRequests):
    """The messages of an order's process that change the order in the store."""

    _stored: StoredOrder
    _board: OrderBoard
    _answers: Answers

    # --- support and channels ----------------------------------------------------------------------------------------

    @workflow.update
    async def cancel(self, call: CancelCall) -> CancelAnswer:
        """Cancel units before hand-over, whole or by line; all that is asked or nothing, or what is possible."""
        request_hash = call.content_hash("cancel")
        with answering(request_hash):
            changed = await self._cancel(call)
        self._answers.note()
        return CancelAnswer(
            order_id=self._stored.order.order_id,
            status=changed.view.status,
            cancelled=changed.units,
            lines=changed.lines,
            request_hash=changed.request_hash or request_hash,
        )

    @cancel.validator
    def _is_of_its_lines(self, call: CancelCall) -> None:
        try:
            asking.check_lines(self._stored.order, call)
        except DomError as error:
            raise as_application_error(error) from error

    @workflow.signal
    async def cancel_requested(self, call: CancelCall) -> None:
        """The same from the Temporal UI or CLI; what cannot be cancelled is logged."""
        try:
            asking.check_lines(self._stored.order, call)
            await self._cancel(call)
        except (DomError, *REFUSALS) as error:
            workflow.logger.warning("not cancelled: %s", error)

    async def _cancel(self, call: CancelCall) -> OrderAfter:
        place = await self._decided()
        command = asking.cancellation(call, request_at(place))
        return await self._stored.change(place, command, self._board.cancel_summary(command.lines))

    @workflow.update
    async def arrived(self, call: ArrivedCall) -> ArrivedResult:
        """A lost parcel arrived after all: it counts as delivered, and what replaces it stays where it is."""
        place = await self._decided()
        command = asking.arrival(call, f"{call.fulfilment_id}/arrived/{request_at(place)}")
        changed = await self._stored.change(place, command, f"{call.fulfilment_id} arrived after all")
        self._answers.note()
        return ArrivedResult(
            order_id=self._stored.order.order_id,
            fulfilment_id=call.fulfilment_id,
            status=changed.view.status,
            taken_back=changed.units,
        )

    @workflow.signal
    async def hold_requested(self, call: HoldCall) -> None:
        """Put a hold on the order; what is refused is logged."""
        await self._carry_out(asking.hold(call), f"Hold: {call.type}")

    @workflow.signal
    async def release_requested(self, call: ReleaseCall) -> None:
        """Release a hold; what is refused is logged."""
        await self._carry_out(asking.release(call), f"Release {call.hold_id}")

    # --- reports -----------------------------------------------------------------------------------------------------

    @workflow.signal
    async def node_report(self, report: NodeReport) -> None:
        """A node says how far its work is."""
        await self._heed(report)

    @workflow.signal
    async def carrier_report(self, report: CarrierReport) -> None:
        """A carrier says what became of a shipment."""
        await self._heed(report)

    async def _heed(self, report: NodeReport | CarrierReport) -> None:
        try:
            await self._stored.heed(await self._decided(), report)
        except REFUSALS as error:
            workflow.logger.warning("a report of %s counts for nothing: %s", report.fulfilment_id, error)
