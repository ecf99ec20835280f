"""Every cell of docs/commands.md, asked of the store: each command in each state of an order and its fulfilment."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.commands import Command
from dom.orders.status import FulfilmentStatus
from dom.shared import ids
from dom.shared.errors import DomError
from services.change_orders import Writing, change_order
from services.database import Database
from store.orders import state as order_state
from tests.worlds import small, to_store
from tests.worlds.captured import accept
from tools.command_matrix import AT, PAGE, REPEAT, STATES, TO_STORE, YES, asked_for, cells, known, page
from tools.commands_asked import ASKS, path_of

OF_PICKUPS = "change: set pickup node"
"""Of an order that is sent it is refused by what was captured, which no unit says."""
WRITING = Writing(webhook=True, notify=True)


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "python -m tools.command_matrix writes it anew"


def test_every_command_is_asked() -> None:
    assert asked_for() == known()


async def outcome(connection: AsyncConnection, order_id: str, command: Command) -> str:
    """What comes of it; nothing of it is kept."""
    kept = await connection.begin_nested()
    try:
        changed = await change_order(connection, order_id, command, WRITING)
    except DomError as error:
        return error.type
    finally:
        await kept.rollback()
    return REPEAT if changed.repeated else YES


def ordered(name: str) -> Any:
    """Two units: of what no node has for an order that waits, else of what is there."""
    if name in {FulfilmentStatus.READY, FulfilmentStatus.COLLECTED, "not_collected"}:
        return small.order(f"cell-{name}", A=2, shipping_method="pickup", pickup_node="st-york")
    if name in TO_STORE:
        return small.order(f"cell-{name}", B=2, tags=[], shipping_method="pickup", pickup_node="st-york")
    return small.order(f"cell-{name}", **{"NEVER" if name == "waiting" else "A": 2})


@pytest.mark.parametrize("name", STATES)
async def test_each_command_in_this_state(world: AsyncEngine, name: str) -> None:
    if name in TO_STORE:
        await to_store.allow(world)
    order = ordered(name)
    await accept(Database(world, replaying=True), order)
    work = ids.fulfilment_id(order.order_id, 1)
    if name != "waiting":
        for command in path_of(name, work, AT):
            async with world.begin() as connection:
                await change_order(connection, order.order_id, command, WRITING)
    expected = {ask.name: said for ask, state, said in cells() if state == name}
    if order.pickup_node is None and expected[OF_PICKUPS] == YES:
        expected[OF_PICKUPS] = "invalid-input"
    async with world.connect() as connection:
        state = await order_state.read(connection, order.order_id)
        said = {ask.name: await outcome(connection, order.order_id, ask.command(work, "1", AT, state)) for ask in ASKS}
    assert said == expected
