"""Work that no node has begun is taken from its node, and its units are sourced anew, in one transaction.

Other than a move it asks for no place that can do all of it: it is sourced as after a rejection, by the whole policy,
in parts, by substitutes, or not at all; what finds no node waits.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import SourceWorkAgain
from dom.orders.status import SourcingCause
from dom.orders.transitions.shared import listed_units
from dom.sourcing.sourced import Sourced, sourced
from services import sourcing
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from services.database import Database
from services.sourcing_again import source_waiting
from store import stock
from store.backorders import queue
from store.network import reference
from store.orders import orders, resuming
from store.orders import state as order_state
from store.sourcing import decisions


async def source_work_again(database: Database, command: SourceWorkAgain) -> OrderChanged:
    """Source the work again, in a transaction of its own, which is made again while somebody else takes the stock it
    planned with. Raises as `source_work_again_in`, and StepNotPossible if that happens each time.
    """
    writing = Writing(webhook=database.webhooks, notify=True)

    async def transaction() -> OrderChanged:
        async with database.transaction() as connection:
            return await source_work_again_in(database, connection, command, writing)

    try:
        return await sourcing.in_reach(transaction)
    except stock.OutOfReach as taken:
        raise sourcing.taken_meanwhile(command.fulfilment_id) from taken


async def source_work_again_in(
    database: Database, connection: AsyncConnection, command: SourceWorkAgain, writing: Writing
) -> OrderChanged:
    """Source the work again, in this transaction; `became` says what came of it.

    Raises NotFound, Conflict for a request that stands for another one, OnHold while sourcing is blocked,
    StepNotPossible for work that is begun or ended, and OutOfReach: the transaction must then end, and may be tried
    again.
    """
    state, work = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    order_id = state.order_id
    last = await resuming.last_sourcing(connection, order_id)
    change = transitions.decide(state, command.model_copy(update={"attempt": last.number + 1}))
    order = await orders.document(connection, order_id)
    # What is given back and what is taken are locked in the one sequence: any node may get it, and a substitute's too.
    skus = {state.lines[line_id].sku for line_id in [*listed_units(work), *state.waiting]}
    if order.allow_substitutes:
        skus |= await reference.approved_substitutes(connection, skus)
    await queue.lock_balances(connection, sorted(skus), also=[])
    await write(connection, state, change, writing)
    as_of = database.as_of(order, command.at)
    without = frozenset({work.node_id}) if command.without_node else frozenset()
    await source_waiting(database, connection, order_id, SourcingCause.SOURCED_AGAIN, as_of, without)
    data = change.event.data.model_dump(mode="json", exclude_none=True)
    return OrderChanged(await order_state.read(connection, order_id), data)


async def became(connection: AsyncConnection, done: OrderChanged) -> Sourced:
    """What sourcing gave when the work was sourced again: the fulfilments of its units, and what waits since."""
    made = await decisions.decision(connection, done.state.order_id, done.data["attempt"])
    if made is None:
        raise LookupError(f"{done.state.order_id} has no sourcing {done.data['attempt']}")
    return sourced(*made)
