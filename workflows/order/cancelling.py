"""Cancelling units of an order before hand-over: what is asked is checked, written down, and only then applied."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.cancelling import Cancelling, CancelPart, CancelUnits, occasion
    from activities.errors import as_application_error
    from activities.looking_again import Answer
    from dom.orders.lifecycle import CancelledUnits, FulfilmentState, OrderState
    from dom.orders.status import FulfilmentStatus
    from dom.shared.access import TEMPORAL
    from dom.shared.errors import DomError, InvalidInput
    from workflows.activity_calls import local
    from workflows.messages import IN_SEQUENCE, CancelCall, CancelResult
    from workflows.order.interface import Order
    from workflows.order.temporal_view import OrderBoard

_REASON: Final = "cancelled by an operator"
_TO_PACK_ANEW: Final = frozenset({FulfilmentStatus.PACKED, FulfilmentStatus.BOOKED})
_ASKED_FIRST: Final = "a cancellation is written before it is applied"
"""The patch that orders of the first editions have, or replay without; later ones need none."""


class Cancellations:
    """The cancellations of an order, in their sequence.

    `done` are the units by line that earlier runs of the order's process cancelled for a caller's request: asked again
    with the same `Idempotency-Key`, the caller hears the same, and which request it was (its hash).
    """

    def __init__(self, order: Order, board: OrderBoard) -> None:
        self.number = 0
        self.done: Mapping[str, Mapping[str, int]] = {}
        self._requests: Mapping[str, str] = {}
        self._order = order
        self._board = board

    def go_on(self, number: int, done: Mapping[str, Mapping[str, int]], requests: Mapping[str, str]) -> None:
        """Go on after `number` cancellations of earlier runs; `requests` are the hashes of those in `done`, by key."""
        self.number, self.done, self._requests = number, done, requests

    def request_before(self) -> str | None:
        """The hash of the request that an earlier run answered under the caller's key; None if there was none."""
        caller = workflow.current_update_info()
        return self._requests.get(caller.id) if caller else None

    def check(self, call: CancelCall) -> None:
        """Raises the refusal of a cancellation that is not possible."""
        if self._answered_before() is None:
            self._plan(call)

    async def cancel(self, place: int, call: CancelCall) -> CancelResult:
        """Cancel what is asked, all of it or nothing."""
        async with self._order.one_at_a_time.step(place):
            cancelled = self._answered_before()
            if cancelled is None:
                cancelled = await self._until_written(lambda: self._plan(call), call)
        state = self._order.state
        return CancelResult(order_id=state.order_id, status=state.status(), cancelled=cancelled)

    async def cancel_the_rest(self, place: int) -> None:
        """Cancel every unit that can still be cancelled, because Temporal was asked to cancel the workflow.

        What is handed over goes on to its end; the report in the Temporal UI says what was done.
        """
        state, call = self._order.state, CancelCall(reason=_REASON, actor=TEMPORAL)
        async with self._order.one_at_a_time.step(place):
            cancelled = await self._until_written(
                lambda: state.plan_cancellation(state.cancellable) if state.cancellable else (), call
            )
        left = sum(line.quantity - line.cancelled for line in state.lines.values())
        words = f"Cancellation requested in Temporal: {sum(cancelled.values())} units were cancelled"
        self._board.note(words + (f"; {left} have left their node and go on to their end" if left else ""))
        if not cancelled:
            workflow.logger.warning("not cancelled: nothing of the order can be cancelled any more")
        self._order.show()

    async def _until_written(self, plan: Callable[[], Sequence[CancelledUnits]], call: CancelCall) -> dict[str, int]:
        """Plan and write down, until no second look comes in between; answers the units by line."""
        units = plan()
        while units and not await self.write(units, call):
            await self._order.take_in_second_looks()
            units = plan()
        cancelled: dict[str, int] = {}
        for part in units:
            cancelled[part.line_id] = cancelled.get(part.line_id, 0) + part.quantity
        return cancelled

    def _answered_before(self) -> dict[str, int] | None:
        caller = workflow.current_update_info()
        units = self.done.get(caller.id) if caller else None
        return None if units is None else dict(units)

    def _plan(self, call: CancelCall) -> Sequence[CancelledUnits]:
        try:
            return self._order.state.plan_cancellation(_asked(self._order.state, call))
        except DomError as error:
            raise as_application_error(error) from error

    async def write(self, units: Sequence[CancelledUnits], call: CancelCall) -> bool:
        """Cancel the planned units; False, and nothing has happened, if a second look took some of the work back."""
        order = self._order
        asked_first = order.edition >= IN_SEQUENCE or workflow.patched(_ASKED_FIRST)
        state = deepcopy(order.state) if asked_first else order.state
        ended, reopened = _take_out(state, units)
        caller = workflow.current_update_info()
        request = CancelUnits(
            order_id=order.state.order_id,
            number=self.number + 1,
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
            request=caller.id if caller else None,
            request_hash=call.content_hash("cancel") if caller else None,
        )
        answer: Answer | None = await local(Cancelling.cancel_units, request, self._board.cancel_summary(units))
        if answer is Answer.RECALLED:
            return False
        if asked_first:
            _take_out(order.state, units)
        self.number = request.number
        order.tell(occasion(request.number))
        order.show()
        return True


async def logged_if_refused(cancellation: Coroutine[Any, Any, object]) -> None:
    """For who cannot be answered: what cannot be cancelled is logged."""
    try:
        await cancellation
    except ApplicationError as error:
        workflow.logger.warning("not cancelled: %s", error.message)


def _asked(state: OrderState, call: CancelCall) -> dict[str, int] | None:
    if call.lines is None:
        return None
    asked: dict[str, int] = {}
    for position, line in enumerate(call.lines):
        known = state.lines.get(line.line_id)
        if known is None or line.line_id in asked:
            problem = "stands twice" if line.line_id in asked else "is not in the order"
            raise InvalidInput(f"line {line.line_id} {problem}", field=f"lines[{position}].line_id")
        asked[line.line_id] = line.quantity or known.quantity - known.cancelled
    return asked


def _take_out(state: OrderState, units: Sequence[CancelledUnits]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cancel planned units; answers the fulfilments that ended, and those that are to be packed anew."""
    return packed_anew(state, units, state.apply_cancellation(units))


def packed_anew(
    state: OrderState, units: Sequence[CancelledUnits], ended: Sequence[FulfilmentState]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Units were taken out of work: what was packed is picked again. Answers the ids of what ended, and of what is to
    be packed anew.
    """
    touched = {part.fulfilment_id for part in units if part.fulfilment_id is not None}
    reopened = [f for f in state.fulfilments.values() if f.id in touched and f.status in _TO_PACK_ANEW]
    for fulfilment in reopened:
        fulfilment.status = FulfilmentStatus.PICKED
        fulfilment.tracking = ""
    return tuple(f.id for f in ended), tuple(f.id for f in reopened)
