"""Work that no node has begun is taken from its node, and its units are sourced anew, in one transaction.

One request is of one fulfilment; a bulk run does it to several of an order at once.

Other than a move it asks for no place that can do all of it: it is sourced as after a rejection, by the whole policy,
in parts, by substitutes, or not at all; what finds no node waits.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import SourceWorkAgain
from dom.orders.lifecycle import OrderState
from dom.orders.status import SourcingCause
from dom.orders.transitions.shared import fulfilment_of, listed_units
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
    state, _ = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    return await source_works_again_in(database, connection, state, [command], writing)


async def source_works_again_in(
    database: Database,
    connection: AsyncConnection,
    state: OrderState,
    commands: Sequence[SourceWorkAgain],
    writing: Writing,
) -> OrderChanged:
    """Take work back from its nodes, each by a command of its own, and source what waits then, once. None of it goes
    to a node that one of the commands leaves out. The order is locked; the data is that of the last command's event.
    Raises as `source_work_again_in`, but for requests.
    """
    order_id = state.order_id
    works = [fulfilment_of(state, command.fulfilment_id) for command in commands]
    attempt = (await resuming.last_sourcing(connection, order_id)).number + 1
    order = await orders.document(connection, order_id)
    # What is given back and what is taken are locked in the one sequence: any node may get it, and a substitute's too.
    lines = {line_id for work in works for line_id in listed_units(work)} | state.waiting.keys()
    skus = {state.lines[line_id].sku for line_id in lines}
    if order.allow_substitutes:
        skus |= await reference.approved_substitutes(connection, skus)
    await queue.lock_balances(connection, sorted(skus), also=[])
    for command in commands:
        change = transitions.decide(state, command.model_copy(update={"attempt": attempt}))
        state = await write(connection, state, change, writing)
    as_of = database.as_of(order, max(each.at for each in commands))
    left_out = zip(works, commands, strict=True)
    without = frozenset(work.node_id for work, command in left_out if command.without_node)
    await source_waiting(database, connection, order_id, SourcingCause.SOURCED_AGAIN, as_of, without)
    data = change.event.data.model_dump(mode="json", exclude_none=True)
    return OrderChanged(await order_state.read(connection, order_id), data)


async def became(connection: AsyncConnection, done: OrderChanged) -> Sourced:
    """What sourcing gave when the work was sourced again: the fulfilments of its units, and what waits since."""
    made = await decisions.decision(connection, done.state.order_id, done.data["attempt"])
    if made is None:
        raise LookupError(f"{done.state.order_id} has no sourcing {done.data['attempt']}")
    return sourced(*made)
