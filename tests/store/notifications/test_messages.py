"""A message is written once under its key, and claimed before it leaves."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.notifications.messages import MessageKind
from store.notifications import messages
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.written import place

ORDER = small.order("told", A=1)


async def write(engine: AsyncEngine, *, webhook: bool = True) -> None:
    async with engine.begin() as connection:
        await messages.write(
            connection, ORDER.order_id, "accepted", MessageKind.ORDER_CONFIRMED, context={}, webhook=webhook
        )


class TestWrite:
    async def test_writes_a_mail_and_where_one_is_wanted_a_webhook(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world, webhook=False)
        listed = "SELECT medium, recipient, status FROM outbox ORDER BY id"
        assert await rows(world, listed) == [("mail", "ada@customer.example", "pending")]
        await write(world)
        assert await rows(world, listed) == [
            ("mail", "ada@customer.example", "pending"),
            ("webhook", "web", "pending"),
        ]

    async def test_many_at_once_write_it_once(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await asyncio.gather(*(write(world) for _ in range(8)))
        assert len(await rows(world, "SELECT id FROM outbox")) == 2


class TestDetails:
    async def test_tell_of_the_order_and_of_its_fulfilment(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        for message_key, context in (
            ("accepted", {"fulfilment_id": f"{ORDER.order_id}-F1"}),
            ("asked", {"node_id": "dc-leeds"}),
        ):
            async with world.begin() as connection:
                await messages.write(
                    connection, ORDER.order_id, message_key, MessageKind.SHIPPED, context=context, webhook=False
                )
        listed = [number for (number,) in await rows(world, "SELECT id FROM outbox ORDER BY id")]
        async with world.connect() as connection:
            found = await messages.details(connection, listed)
        known, to_node = (found[number] for number in listed)
        assert (known["customer_name"], known["node_name"], known["tracking_number"]) == ("Ada Young", None, None)
        assert known["f_lines"] == {"1": 1}
        assert to_node["node_name"] == "Dc Leeds"
