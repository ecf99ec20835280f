"""Cancelling units of an order before hand-over: what is asked is checked, written down, and only then applied."""

from collections.abc import Coroutine, Mapping
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.cancelling import Cancelling, CancelOrder
    from activities.errors import as_application_error
    from activities.looking_again import Answer
    from dom.orders.changes import OrderChange
    from dom.orders.commands import CancelRest, CancelUnits, GiveUpWaiting
    from dom.orders.lifecycle import OrderState
    from dom.orders.transitions import decide
    from dom.shared.access import TEMPORAL
    from dom.shared.errors import DomError, InvalidInput
    from workflows.activity_calls import local
    from workflows.messages import CancelCall, CancelResult
    from workflows.order.interface import OrderProcess
    from workflows.order.temporal_view import OrderBoard

_REASON: Final = "cancelled by an operator"


class Cancellations:
    """The cancellations of an order, in their sequence.

    `done` are the units by line that earlier runs of the order's process cancelled for a caller's request: asked again
    with the same `Idempotency-Key`, the caller hears the same, and which request it was (its hash).
    """

    def __init__(self, order: OrderProcess, board: OrderBoard) -> None:
        self.done: Mapping[str, Mapping[str, int]] = {}
        self._requests: Mapping[str, str] = {}
        self._order = order
        self._board = board

    def go_on(self, done: Mapping[str, Mapping[str, int]], requests: Mapping[str, str]) -> None:
        """Go on after earlier runs; `requests` are the hashes of the cancellations in `done`, by key."""
        self.done, self._requests = done, requests

    def request_before(self) -> str | None:
        """The hash of the request that an earlier run answered under the caller's key; None if there was none."""
        caller = workflow.current_update_info()
        return self._requests.get(caller.id) if caller else None

    def check(self, call: CancelCall) -> None:
        """Raises the refusal of a cancellation that is not possible."""
        if self._answered_before() is None:
            self._decide(self._command(call))

    async def cancel(self, place: int, call: CancelCall) -> CancelResult:
        """Cancel what is asked, all of it or nothing."""
        async with self._order.one_at_a_time.step(place):
            cancelled = self._answered_before()
            if cancelled is None:
                cancelled = await self.write(self._command(call))
        state = self._order.state
        return CancelResult(order_id=state.order_id, status=state.status(), cancelled=cancelled)

    async def cancel_the_rest(self, place: int) -> None:
        """Cancel every unit that can still be cancelled, because Temporal was asked to cancel the workflow.

        What is handed over goes on to its end; the report in the Temporal UI says what was done.
        """
        async with self._order.one_at_a_time.step(place):
            cancelled: dict[str, int] = {}
            if self._order.state.cancellable:
                cancelled = await self.write(CancelRest(actor=TEMPORAL, reason=_REASON, at=workflow.now()))
        left = sum(line.quantity - line.cancelled for line in self._order.state.lines.values())
        words = f"Cancellation requested in Temporal: {sum(cancelled.values())} units were cancelled"
        self._board.note(words + (f"; {left} have left their node and go on to their end" if left else ""))
        if not cancelled:
            workflow.logger.warning("not cancelled: nothing of the order can be cancelled any more")
        self._order.show()

    async def write(self, command: CancelUnits | CancelRest | GiveUpWaiting) -> dict[str, int]:
        """Cancel, deciding anew until no second look comes in between; answers the units by line."""
        order = self._order
        while True:
            change = self._decide(command)
            request = CancelOrder(
                order_id=order.state.order_id,
                number=order.state.cancellations + 1,
                command=command,
                planned=frozenset(change.moved),
            )
            answer: Answer | None = await local(
                Cancelling.cancel_units, request, self._board.cancel_summary(change.cancelled)
            )
            if answer is not Answer.RECALLED:
                order.committed(change)
                return change.cancelled
            await order.take_in_second_looks()

    def _answered_before(self) -> dict[str, int] | None:
        caller = workflow.current_update_info()
        units = self.done.get(caller.id) if caller else None
        return None if units is None else dict(units)

    def _command(self, call: CancelCall) -> CancelUnits:
        caller = workflow.current_update_info()
        return CancelUnits(
            lines=_asked(self._order.state, call),
            actor=call.actor,
            at=call.occurred_at or workflow.now(),
            reason=call.reason,
            request=caller.id if caller else None,
            request_hash=call.content_hash("cancel") if caller else None,
        )

    def _decide(self, command: CancelUnits | CancelRest | GiveUpWaiting) -> OrderChange:
        try:
            return decide(self._order.state, command)
        except DomError as error:
            raise as_application_error(error) from error


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
            error = InvalidInput(f"line {line.line_id} {problem}", field=f"lines[{position}].line_id")
            raise as_application_error(error)
        asked[line.line_id] = line.quantity or known.quantity - known.cancelled
    return asked
