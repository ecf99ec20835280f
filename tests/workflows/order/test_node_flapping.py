"""A node that is switched off and on again and again while orders are open loses no unit and no order."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Node
from jobs.retiring_nodes import Retiring
from store.network import reference
from tests.worlds import small
from tests.worlds.books import agree, one, rows
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended
from tests.worlds.waiting import until

LEEDS = small.NODES[0]
SWITCHES = 24


async def switch(engine: AsyncEngine, node: Node, *, active: bool) -> None:
    async with engine.begin() as connection:
        await reference.put_node(connection, node.model_copy(update={"active": active}))


async def test_every_order_ends_delivered(house: House, world: AsyncEngine) -> None:
    """Half of them can go from elsewhere, the others have to wait for the node."""
    job = Retiring(world, every=0.01, everything_every=0.05)
    orders = [small.order(f"flap-{n}", **({"A": 2} if n % 2 else {"B": 2})) for n in range(8)]
    await asyncio.gather(*(house.send(each) for each in orders))
    begun = orders[0], orders[1]
    for turn in range(SWITCHES):
        await switch(world, LEEDS, active=bool(turn % 2))
        await job.run()
        if turn == SWITCHES // 2:
            for each in begun:
                await house.node(each, "accept")
        await asyncio.sleep(0.03 * (turn % 3))
    await switch(world, LEEDS, active=True)
    job._everything_at = 0
    await job.run()

    async def none_waits() -> bool:
        return await one(world, "SELECT coalesce(sum(backordered), 0) FROM order_lines") == 0

    await until("no unit waits", none_waits)
    assert await agree(world) == 2 * len(orders)
    await job.run()
    assert await rows(world, "SELECT kind, detail FROM exceptions WHERE status = 'open'") == []
    for each in orders:
        last = str(await one(world, "SELECT max(id) FROM fulfilments WHERE order_id = :id "
                             "AND status NOT IN ('rejected', 'recalled')", id=each.order_id))  # fmt: skip
        await deliver(house, each, int(last.rpartition("-F")[2]))
    for each in orders:
        await house.handle(each).result()
    assert await agree(world) == 0
    await house.told()
    keys = [message.key for message in house.mail.sent]
    assert len(keys) == len(set(keys))
    await ended(house, orders[-1])
