"""Goods that wait for their customer: he is reminded, and what he does not collect in time is cancelled."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.commands import TakeNodeStep
from dom.orders.pickup_commands import ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.shared import ids
from dom.shared.errors import DomError
from services.change_orders import OrderChanged, Writing, carry_out, change_order, locked_with
from services.one_by_one import apart
from store.fulfilment import collections


async def look(engine: AsyncEngine, now: datetime, writing: Writing) -> int:
    """Deal with all goods whose time is over and all reminders that are due, each in a transaction of its own; answers
    how many.
    """
    done, after = 0, ""
    while found := await _due(engine, now, after):
        after = found[-1][0]
        for fulfilment_id, is_over in found:
            command = (ExpireCollection if is_over else RemindOfCollection)(fulfilment_id=fulfilment_id, at=now)
            done += await apart(fulfilment_id, _deal_with(engine, command, writing))
    return done


async def _deal_with(engine: AsyncEngine, command: ExpireCollection | RemindOfCollection, writing: Writing) -> bool:
    try:
        async with engine.begin() as connection:
            await change_order(connection, ids.order_of(command.fulfilment_id), command, writing)
    except DomError:  # somebody collected it, or keeps it longer; another worker reminded
        return False
    return True


async def _due(engine: AsyncEngine, now: datetime, after: str) -> list[tuple[str, bool]]:
    async with engine.connect() as connection:
        return await collections.due(connection, now, after)


async def say(
    connection: AsyncConnection, command: KeepForCollection | PutBack | TakeNodeStep, writing: Writing
) -> OrderChanged:
    """Carry out what a person says of goods that wait, in this transaction; said again it changes nothing. A wrong code
    is not counted here. Raises NotFound, Conflict, InvalidInput and StepNotPossible, as the command says.
    """
    state, _ = await locked_with(connection, command.fulfilment_id)
    return await carry_out(connection, state, command, writing)
