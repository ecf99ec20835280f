"""What an order is asked and told by the workflow's messages, as commands to the store."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.fulfilment.carrier_reports import ParcelReport
    from dom.orders.calls import ArrivedCall, CancelCall, HoldCall, ReleaseCall
    from dom.orders.commands import CancelUnits, CountAsDelivered, PlaceHold, ReleaseHold, TakeNodeStep
    from dom.orders.order import Order
    from dom.shared.errors import InvalidInput
    from workflows.messages import CarrierReport, NodeReport


def cancellation(call: CancelCall, request: str) -> CancelUnits:
    """Cancel units; a line without a quantity means all of it."""
    return CancelUnits(
        lines=None if call.lines is None else {line.line_id: line.quantity for line in call.lines},
        mode=call.mode,
        actor=call.actor,
        at=call.occurred_at or workflow.now(),
        reason=call.reason,
        nodes=call.nodes,
        request=request,
        request_hash=call.content_hash("cancel"),
    )


def check_lines(order: Order, call: CancelCall) -> None:
    """Raises InvalidInput for a line that is not the order's, or stands twice."""
    asked: set[str] = set()
    known = {line.line_id for line in order.lines}
    for position, line in enumerate(call.lines or ()):
        if line.line_id not in known or line.line_id in asked:
            problem = "stands twice" if line.line_id in asked else "is not in the order"
            raise InvalidInput(f"line {line.line_id} {problem}", field=f"lines[{position}].line_id")
        asked.add(line.line_id)


def hold(call: HoldCall) -> PlaceHold:
    """Put a hold on."""
    return PlaceHold(
        type=call.type, actor=call.actor, at=workflow.now(), reason=call.reason, release_at=call.release_at
    )


def release(call: ReleaseCall) -> ReleaseHold:
    """Release a hold."""
    return ReleaseHold(hold_id=call.hold_id, actor=call.actor, at=workflow.now(), reason=call.reason)


def arrival(call: ArrivedCall, request: str) -> CountAsDelivered:
    """A lost parcel arrived: what replaces it is taken back, also from who works on it."""
    return CountAsDelivered(
        fulfilment_id=call.fulfilment_id,
        actor=call.actor,
        reason=call.reason or "it arrived after all",
        at=call.occurred_at or workflow.now(),
        begun=True,
        request=request,
    )


def reported(report: NodeReport | CarrierReport, request: str) -> TakeNodeStep | ParcelReport:
    """A node took a step, or a carrier said what became of a parcel."""
    if isinstance(report, CarrierReport):
        return ParcelReport(
            fulfilment_id=report.fulfilment_id,
            kind=report.kind,
            actor=report.actor,
            at=report.occurred_at,
            shipment_id=report.shipment_id,
            event_id=report.event_id,
        )
    return TakeNodeStep(
        fulfilment_id=report.fulfilment_id,
        step=report.step,
        actor=report.actor,
        at=report.occurred_at,
        reason=report.reason,
        found=None if report.lines is None else {line.line_id: line.quantity for line in report.lines},
        why=report.reason_code,
        if_unbegun=report.if_unbegun,
        code=report.code,
        identity_checked=report.identity_checked,
        request=request,
    )
