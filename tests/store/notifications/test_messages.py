"""A message is written once under its key, and claimed with what it may tell."""

import asyncio

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.notifications.messages import Medium, MessageKind, Notice
from store.notifications import messages, outbox
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


class TestClaimed:
    async def test_tells_of_the_order_and_of_its_fulfilment(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        found: list[RowMapping] = []
        for message_key, context in (
            ("accepted", {"fulfilment_id": f"{ORDER.order_id}-F1"}),
            ("asked", {"node_id": "dc-leeds"}),
        ):
            async with world.begin() as connection:
                await messages.write(
                    connection, ORDER.order_id, message_key, MessageKind.SHIPPED, context=context, webhook=False
                )
                number = await outbox.begin(connection)
                found += (await outbox.claim(connection, number, {Medium.MAIL: 1})).messages
                await connection.execute(text("UPDATE outbox SET status = 'sent'"))
        known, to_node = found
        assert (known["customer_name"], known["node_name"], known["tracking_number"]) == ("Ada Young", None, None)
        assert known["f_lines"] == {"1": 1}
        assert to_node["node_name"] == "Dc Leeds"

    async def test_tells_nothing_of_the_order_where_what_is_written_is_all_there_is(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        async with world.begin() as connection:
            await outbox.write(connection, outbox.to_order(ORDER.order_id, Notice.REOPTIMISED, {}, key="look:1"))
            number = await outbox.begin(connection)
            (notice,) = (await outbox.claim(connection, number, {Medium.WORKFLOW: 1})).messages
        assert (notice["order_id"], notice["customer_name"], notice["lines"]) == (ORDER.order_id, None, None)
