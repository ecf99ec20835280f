"""A node's steps: each is decided and written when it is reported, and refused there and then where it is too late."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.fulfilment.carrier_reports import GOODS_LEAVE
from dom.orders.commands import TakeNodeStep
from dom.orders.lifecycle import OrderState
from dom.orders.pickup_commands import CountWrongCode
from dom.orders.status import FINAL_FULFILMENT, FulfilmentStatus, FulfilmentStep
from dom.shared import ids
from dom.shared.errors import CollectionLocked, InvalidInput, NotFound, OnHold, StepNotPossible, WrongCode
from services.change_orders import OrderChanged, Writing, carry_out, locked
from store.fulfilment import fulfilments, unexpected_reports
from store.orders import state as order_state


async def take(engine: AsyncEngine, command: TakeNodeStep, writing: Writing) -> OrderChanged:
    """Write a step down, in one transaction; said again it changes nothing. Raises NotFound for work that is not in its
    node's work list, InvalidInput, Conflict, and StepNotPossible for what is not possible, or not any more.

    Of a refused step that says goods left which count as being there, a person hears. A wrong code is counted.
    """
    try:
        async with engine.begin() as connection:
            if not await fulfilments.lock_at_the_node(connection, command.fulfilment_id):
                raise NotFound(f"there is no fulfilment {command.fulfilment_id}")
            state = await order_state.read(connection, ids.order_of(command.fulfilment_id))
            taken = await _carry_out(connection, state, command, writing)
    except (OnHold, CollectionLocked):
        raise
    except StepNotPossible:
        async with engine.begin() as connection:
            await _keep(connection, command)
        raise
    if isinstance(taken, WrongCode):
        raise taken
    return taken


async def _carry_out(
    connection: AsyncConnection, state: OrderState, command: TakeNodeStep, writing: Writing
) -> OrderChanged | WrongCode:
    """Carry it out on the locked order. That a code is wrong is no failure of the transaction: it is counted in it, so
    that nobody can try many at once.
    """
    try:
        return await carry_out(connection, state, command, writing)
    except WrongCode as wrong:
        counted = CountWrongCode(fulfilment_id=command.fulfilment_id, actor=command.actor, at=command.at)
        if command.request is not None:  # another code under the same key is another try
            request = f"{command.request}/wrong/{command.request_hash}"
            counted = counted.model_copy(update={"request": request})
        if (await carry_out(connection, state, counted, writing)).repeated:  # it was counted before
            wrong.data = {**wrong.data, "tries_left": wrong.data["tries_left"] + 1}
        return wrong


async def _keep(connection: AsyncConnection, command: TakeNodeStep) -> None:
    """Of work that is packed anew, the parcel of the booking that was taken back may have been handed over."""
    row = await fulfilments.at_the_node(connection, command.fulfilment_id)
    if row is None:
        return
    handed_over = command.step is FulfilmentStep.HAND_OVER and row["was_booked"]
    if FulfilmentStatus(row["status"]) in FINAL_FULFILMENT or handed_over:
        await unexpected_reports.note(connection, _unexpected(command, if_goods_moved=True))


async def heed(connection: AsyncConnection, order_id: str, command: TakeNodeStep, writing: Writing) -> bool:
    """Carry out a step that was signalled, so that nobody can be answered. False if it cannot be true: then it is kept,
    and put before a person, unless it says of work that is over what is of no matter any more.

    Raises NotFound for no fulfilment of the order.
    """
    state = await locked(connection, order_id)
    try:
        if isinstance(await _carry_out(connection, state, command, writing), WrongCode):
            return True  # it is counted, and a person hears of too many
    except (StepNotPossible, InvalidInput):
        row = await fulfilments.get(connection, command.fulfilment_id)
        status = row and FulfilmentStatus(row["status"])
        over = status in FINAL_FULFILMENT - {FulfilmentStatus.RECALLED}
        if command.if_unbegun or (over and command.step not in GOODS_LEAVE):
            return True
        await unexpected_reports.note(connection, _unexpected(command))
        return False
    return True


def _unexpected(command: TakeNodeStep, *, if_goods_moved: bool = False) -> unexpected_reports.UnexpectedReport:
    return unexpected_reports.UnexpectedReport(
        command.fulfilment_id, command.step, command.actor, command.at, if_goods_moved=if_goods_moved
    )
