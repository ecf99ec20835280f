"""The outbox lets go of what is over, and says how much waits."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.notifications.messages import Medium, MessageKind, Notice
from store.enums import MessageStatus
from store.notifications import messages, outbox
from store.notifications.outbox import Entry, Settlement
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.written import place

ORDER = small.order("boxed", A=1)
WRITTEN = "SELECT business_key, order_id, message_key, kind, medium, recipient, receiver, payload, status FROM outbox"
CHANGE = "UPDATE outbox SET {} WHERE business_key = ANY(:keys)"
KEYS = "SELECT business_key FROM outbox ORDER BY id"


def entry(key: str, receiver: str = "r", medium: Medium = Medium.AVAILABILITY) -> Entry:
    return Entry(key, "kind", medium, receiver, f"{medium}/{receiver}", {})


async def write(engine: AsyncEngine, *entries: Entry) -> None:
    async with engine.begin() as connection:
        await outbox.write(connection, *entries)


async def make(engine: AsyncEngine, change: str, *keys: str) -> None:
    """Change messages by hand."""
    async with engine.begin() as connection:
        await connection.execute(text(CHANGE.format(change)), {"keys": [*keys]})


class TestWritten:
    async def test_once_under_its_key_with_its_fields(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        notice = outbox.to_order(ORDER.order_id, Notice.REOPTIMISED, {"number": 1}, key="look:1")
        await write(world, notice, notice)
        await write(world, notice)
        workflow = f"order-{ORDER.order_id}"
        assert await rows(world, WRITTEN) == [
            (f"{ORDER.order_id}/look:1/workflow", ORDER.order_id, None, "reoptimised", "workflow", workflow,
             f"workflow/{workflow}", {"number": 1}, "pending")
        ]  # fmt: skip

    async def test_in_their_sequence(self, world: AsyncEngine) -> None:
        """What goes to one receiver goes in the sequence of the ids."""
        keys = [str(number) for number in range(30)]
        await write(world, *(entry(key, "same") for key in keys))
        assert await rows(world, KEYS) == [(key,) for key in keys]

    async def test_behind_what_was_put_off_for_the_same_receiver(self, world: AsyncEngine) -> None:
        """Whichever way it is written."""
        await place(world, ORDER)
        mail = entry("first", "ada@customer.example", Medium.MAIL)
        await write(world, mail)
        await make(world, "next_attempt_at = now() + interval '1 hour'", "first")
        await write(world, entry("second", "ada@customer.example", Medium.MAIL), entry("other"))
        async with world.begin() as connection:
            await messages.write(
                connection, ORDER.order_id, "accepted", MessageKind.ORDER_CONFIRMED, context={}, webhook=True
            )
        late = "SELECT business_key FROM outbox WHERE next_attempt_at > now() + interval '30 minutes' ORDER BY id"
        assert await rows(world, late) == [("first",), ("second",), (f"{ORDER.order_id}/accepted/mail",)]


class TestSettled:
    async def test_says_which_it_wrote(self, world: AsyncEngine) -> None:
        await write(world, entry("mine", "a"), entry("others", "b"))
        async with world.begin() as connection:
            number = await outbox.begin(connection)
            claimed = await outbox.claim(connection, number, {Medium.AVAILABILITY: 16})
            ids = {row["business_key"]: row["id"] for row in claimed.messages}
        await make(world, "relay = relay + 1", "others")
        async with world.begin() as connection:
            outcomes = [Settlement(each, MessageStatus.SENT) for each in ids.values()]
            settled = await outbox.settle(connection, number, outcomes)
        assert settled == outbox.Settled(frozenset({ids["mine"]}), more=False)
        assert await rows(world, "SELECT status FROM outbox ORDER BY id") == [("sent",), ("sending",)]

    async def test_says_whether_others_are_due(self, world: AsyncEngine) -> None:
        await write(world, entry("first", "a"), entry("behind it", "a"))
        async with world.begin() as connection:
            number = await outbox.begin(connection)
            (first,) = (await outbox.claim(connection, number, {Medium.AVAILABILITY: 16})).messages
            assert (await outbox.settle(connection, number, [Settlement(first["id"], MessageStatus.SENT)])).more

    async def test_says_of_nothing_that_another_relay_may_have_it(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            assert await outbox.settle(connection, 0, [Settlement(1, MessageStatus.SENT)]) == outbox.Settled(
                frozenset(), more=True
            )


class TestClaimed:
    async def test_writes_and_locks_nothing_where_nothing_is_due(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            number = await outbox.begin(connection)
        async with world.begin() as connection:
            assert not (await outbox.claim(connection, number, {Medium.MAIL: 4})).messages
            assert await connection.scalar(text("SELECT pg_current_xact_id_if_assigned()")) is None

    @pytest.mark.parametrize(("medium", "waits"), [(Medium.MAIL, "on"), (Medium.WORKFLOW, "off")])
    async def test_is_on_disk_before_a_mail_leaves(self, world: AsyncEngine, medium: Medium, waits: str) -> None:
        """As is what became of it. All else may be sent again, for its receiver knows it again."""
        await write(world, entry("due", "a", medium))
        async with world.begin() as connection:
            number = await outbox.begin(connection)
        async with world.begin() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            (row,) = (await outbox.claim(connection, number, {medium: 1})).messages
            assert await connection.scalar(text("SHOW synchronous_commit")) == waits
        async with world.begin() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            await outbox.settle(connection, number, [Settlement(row["id"], MessageStatus.SENT)])
            assert await connection.scalar(text("SHOW synchronous_commit")) == waits

    async def test_leaves_alone_what_the_relay_has_in_hand(self, world: AsyncEngine) -> None:
        """Even if the database server has lost the claim."""
        await write(world, entry("due", "a"))
        async with world.begin() as connection:
            number = await outbox.begin(connection)
            (row,) = (await outbox.claim(connection, number, {Medium.AVAILABILITY: 1})).messages
        await make(world, "status = 'pending', relay = NULL", "due")
        async with world.begin() as connection:
            assert not (await outbox.claim(connection, number, {Medium.AVAILABILITY: 1}, [row["id"]])).messages


class TestForgotten:
    async def test_is_what_is_over_for_a_day_and_no_message_of_an_order(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        async with world.begin() as connection:
            await messages.write(
                connection, ORDER.order_id, "accepted", MessageKind.ORDER_CONFIRMED, context={}, webhook=False
            )
        mail = f"{ORDER.order_id}/accepted/mail"
        await write(world, *(entry(key) for key in ("sent", "failed", "pending", "sending", "young")))
        for status in ("sent", "failed", "sending"):
            await make(world, f"status = '{status}'", status)
        await make(world, "status = 'sent'", mail, "young")
        await make(world, "created_at = now() - interval '25 hours'", "sent", "failed", "pending", "sending", mail)
        async with world.begin() as connection:
            await outbox.forget(connection)
        assert await rows(world, KEYS) == [(mail,), ("pending",), ("sending",), ("young",)]


class TestStanding:
    async def test_counts_what_has_not_gone_out_and_says_how_old_it_is(self, world: AsyncEngine) -> None:
        assert await self._standing(world) == (0, 0)
        await write(world, *(entry(key) for key in ("sent", "failed", "pending", "sending")))
        for status in ("sent", "failed", "sending"):
            await make(world, f"status = '{status}'", status)
        await make(world, "created_at = now() - interval '9 hours'", "sent")
        await make(world, "created_at = now() - interval '2 hours'", "sending")
        waiting, hours = await self._standing(world)
        assert (waiting, hours) == (2, 2)
        assert await one(world, "SELECT count(*) FROM outbox") == 4

    async def _standing(self, world: AsyncEngine) -> tuple[int, int]:
        async with world.connect() as connection:
            found = await outbox.backlog(connection)
        return found["waiting"], round(found["oldest"] / 3600)
