"""A message is written once an occasion, and claimed before it leaves."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.notifications.messages import MessageKind
from store.enums import MessageStatus
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


async def claim(engine: AsyncEngine) -> dict[str, RowMapping]:
    async with engine.begin() as connection:
        found: Sequence[RowMapping] = await messages.claim(connection, ORDER.order_id, "accepted")
    return {row["medium"]: row for row in found}


async def settle(engine: AsyncEngine, claimed: RowMapping, status: MessageStatus) -> None:
    async with engine.begin() as connection:
        await messages.settle(connection, claimed["id"], status, "why" * 1000)


class TestWrite:
    async def test_writes_a_mail_and_where_one_is_wanted_a_webhook(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world, webhook=False)
        listed = "SELECT medium, recipient, status FROM messages ORDER BY id"
        assert await rows(world, listed) == [("mail", "ada@customer.example", "pending")]
        await write(world)
        assert await rows(world, listed) == [
            ("mail", "ada@customer.example", "pending"),
            ("webhook", "web", "pending"),
        ]

    async def test_many_at_once_write_it_once(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await asyncio.gather(*(write(world) for _ in range(8)))
        assert len(await rows(world, "SELECT id FROM messages")) == 2


class TestClaim:
    async def test_a_mail_whose_sender_died_is_uncertain_and_a_webhook_goes_again(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world)
        first = await claim(world)
        assert {row["status"] for row in first.values()} == {"sending"}
        second = await claim(world)
        assert (second["mail"]["status"], second["webhook"]["status"]) == ("uncertain", "sending")
        third = await claim(world)
        assert set(third) == {"webhook"}

    async def test_what_was_sent_is_not_claimed_again(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world)
        for row in (await claim(world)).values():
            await settle(world, row, MessageStatus.SENT)
        assert await claim(world) == {}
        assert all(sent_at for (sent_at,) in await rows(world, "SELECT sent_at FROM messages"))

    async def test_what_was_put_off_is_claimed_again_as_new(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world, webhook=False)
        await settle(world, (await claim(world))["mail"], MessageStatus.PENDING)
        again = await claim(world)
        assert again["mail"]["status"] == "sending"
        assert await rows(world, "SELECT length(error), sent_at FROM messages") == [(500, None)]

    async def test_two_at_once_never_both_send_the_mail(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await write(world, webhook=False)
        claims = await asyncio.gather(*(claim(world) for _ in range(6)))
        statuses = [found["mail"]["status"] for found in claims if "mail" in found]
        assert statuses.count("sending") == 1


class TestDetails:
    async def test_tell_of_the_order_and_of_its_fulfilment(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        async with world.connect() as connection:
            known = await messages.details(connection, ORDER.order_id, fulfilment_id=f"{ORDER.order_id}-F1")
            to_node = await messages.details(connection, ORDER.order_id, node_id="dc-leeds")
        assert (known["customer_name"], known["node_name"], known["tracking_number"]) == ("Ada Young", None, None)
        assert known["f_lines"] == {"1": 1}
        assert to_node["node_name"] == "Dc Leeds"
