"""What can be done about an exception in one call and one transaction: the use case, and the exception with it.

What asks an order's process, or starts one anew, is in `processes/exception_actions.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionAction, ExceptionKind
from dom.exceptions.actions import SIGN
from dom.exceptions.desk import Resolve, must_be, must_be_open
from dom.notifications.messages import Notice
from dom.orders.commands import Command, GiveUpWaiting, TakeNodeStep
from dom.orders.status import FulfilmentStep, ReasonCode
from services import exceptions_desk, stock_updates
from services.change_orders import Writing, change_order
from services.exceptions_desk import Asked
from store import backorders
from store.desk.changes import FoundException
from store.notifications import outbox
from store.stock.adjustments import Adjustment

_RESOLUTIONS: Final[Mapping[ExceptionAction, str]] = {
    ExceptionAction.CANCEL_WAITING: "what waited was cancelled",
    ExceptionAction.REJECT_WORK: "the work was taken from its node",
    ExceptionAction.ARRIVED: "the parcel arrived after all",
    ExceptionAction.BOOK_IN: "the units were booked in",
    ExceptionAction.CORRECT_STOCK: "the balance was corrected",
}
"""What ends the trouble at once, and is the resolution then. What is left out ends it later, and it closes itself."""


async def carry_out(
    connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction, writing: Writing
) -> None:
    """Do it, in this transaction, and close the exception if that ends the trouble. `found` was read without a lock.

    Raises Stale if the exception has changed since it was seen, and what the use case raises; then nothing is done.
    """
    must_be(found.state, asked.seen)
    if action in _FIRST_STOCK:
        await _adjust(connection, found, asked, action)
        await _settle(connection, await exceptions_desk.locked(connection, asked), asked, action)
        return
    await backorders.lock_order(connection, found.order_id or "")  # before the exception, as whoever closes one does
    now = await exceptions_desk.locked(connection, asked)
    await _settle(connection, now, asked, action)
    await _OF_ORDERS[action](connection, now, asked, writing)


async def _settle(connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction) -> None:
    """Raises Stale, and StepNotPossible for one that is closed."""
    must_be(found.state, asked.seen)
    must_be_open(found.state)
    await exceptions_desk.acted(connection, found, asked, action)
    await resolve(connection, found, asked, action)


async def resolve(connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction) -> None:
    """Resolve a locked exception if what was done ends the trouble at once."""
    if action in _RESOLUTIONS:
        await exceptions_desk.carry_out(connection, found, asked, Resolve(_RESOLUTIONS[action], asked.actor))


async def _cancel_waiting(connection: AsyncConnection, found: FoundException, asked: Asked, writing: Writing) -> None:
    command = GiveUpWaiting(at=asked.at, reason=_about(found), actor=asked.actor)
    await _change(connection, found, command, writing)


async def _reject_work(connection: AsyncConnection, found: FoundException, asked: Asked, writing: Writing) -> None:
    command = TakeNodeStep(
        fulfilment_id=found.data["fulfilment_id"],
        step=FulfilmentStep.REJECT,
        actor=asked.actor,
        at=asked.at,
        reason=_about(found),
    )
    await _change(connection, found, command, writing)


async def _change(connection: AsyncConnection, found: FoundException, command: Command, writing: Writing) -> None:
    if found.order_id is not None:
        await change_order(connection, found.order_id, command, writing)


async def _source_again(connection: AsyncConnection, found: FoundException, asked: Asked, _: Writing) -> None:
    """The order's process hears what it hears when stock comes: it looks at once, and nobody else has to wait."""
    if found.order_id is not None:
        argument = {"skus": [], "occurred_at": asked.at.isoformat()}
        key = f"source_again:{found.state.id}:{asked.seen}"
        await outbox.write(connection, outbox.to_order(found.order_id, Notice.STOCK_ARRIVED, argument, key=key))


async def _adjust(connection: AsyncConnection, found: FoundException, asked: Asked, action: ExceptionAction) -> None:
    """Raises what stands in the way of the first SKU that cannot be booked."""
    booked_in = action is ExceptionAction.BOOK_IN
    sign = 1 if booked_in else SIGN[found.data["on_hand"]]
    changes = [
        Adjustment(
            node_id=found.data["node_id"],
            sku=sku,
            quantity=sign * units,
            reason=_about(found),
            idempotency_key=f"exception:{found.state.id}",
            occurred_at=asked.at,
            reason_code=ReasonCode.CUSTOMER_RETURN if booked_in else ReasonCode.CORRECTION,
        )
        for sku, units in sorted(found.data["units"].items())
    ]
    for result in await stock_updates.adjust(connection, changes, asked.actor):
        if result.error is not None:
            raise result.error


def _about(found: FoundException) -> str:
    try:
        return f"exception {found.state.id}: {ExceptionKind(found.state.kind).value.replace('_', ' ')}"
    except ValueError:
        return f"exception {found.state.id}"


_FIRST_STOCK: Final = frozenset({ExceptionAction.BOOK_IN, ExceptionAction.CORRECT_STOCK})
"""Who books goods in has locked no order: those that wait for the goods are dealt with meanwhile."""
_Act = Callable[[AsyncConnection, FoundException, Asked, Writing], Awaitable[None]]
_OF_ORDERS: Final[Mapping[ExceptionAction, _Act]] = {
    ExceptionAction.CANCEL_WAITING: _cancel_waiting,
    ExceptionAction.REJECT_WORK: _reject_work,
    ExceptionAction.SOURCE_AGAIN: _source_again,
}
