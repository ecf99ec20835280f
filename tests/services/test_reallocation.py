"""Re-allocation in the store: nothing is oversold, whoever interferes, and both orders say why."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelRest, EditOrder, PlaceHold, TakeNodeStep
from dom.orders.editing.changes import SetQuantity
from dom.orders.holds import BlockedStep
from dom.orders.status import FulfilmentStep, SourcingCause
from dom.shared.errors import DomError
from jobs.reallocating import Reallocating
from services import reallocation
from services.change_orders import Writing, change_order
from services.database import Database
from services.reoptimisation import Outdated
from services.sourcing_again import source_waiting
from store.stock import OutOfReach
from tests.worlds.backorders import comes as goods_come
from tests.worlds.backorders import deal, waits
from tests.worlds.books import check_books, rows
from tests.worlds.reallocating import TUESDAY, VIP, can_wait, comes_on, in_danger, policy, run
from tests.worlds.sourcing import MONDAY_NOON

WORK = """
SELECT f.order_id, f.node_id, f.status, (SELECT sum(quantity)::int FROM fulfilment_lines l
                                         WHERE l.fulfilment_id = f.id) FROM fulfilments f
WHERE f.order_id <> 'web-rest' ORDER BY f.order_id DESC, length(f.id), f.id
"""
TOLD = "SELECT order_id, data->>'role', data->'others' FROM timeline WHERE kind = 'reallocated' ORDER BY id"
CLAIMS = "SELECT order_id, node_id, sku, units FROM first_claims"
WRITING = Writing(webhook=False, notify=True)


@pytest.fixture
async def database(world: AsyncEngine) -> Database:
    await policy(world)
    return Database(engine=world, replaying=True, now=lambda: MONDAY_NOON)


async def a_scarce_day(database: Database, giver_days: int = 8) -> tuple[str, str]:
    """All of RARE is reserved: 2 for an order that can wait, at dc-leeds; a vip waits, and 2 come there on Tuesday."""
    giver = await can_wait(database, "waits", giver_days, RARE=2)
    await can_wait(database, "rest", 1, RARE=3)
    taker = await in_danger(database, RARE=2)
    await comes_on(database.engine, TUESDAY, RARE=2)
    return giver, taker


class TestGoodsOnTheirWay:
    async def test_both_orders_say_what_happened(self, database: Database) -> None:
        giver, taker = await a_scarce_day(database)
        looked = await reallocation.look(database, MONDAY_NOON)
        assert [each.order_ids for each in looked.found] == [(taker, giver)]
        assert await rows(database.engine, TOLD) == []
        (made,) = (await run(database)).made
        assert await rows(database.engine, TOLD) == [(giver, "gave", [taker]), (taker, "got", [giver])]
        assert await rows(database.engine, WORK) == [
            (giver, "dc-leeds", "recalled", 2),
            (taker, "dc-leeds", "released", 2),
        ]
        assert await rows(database.engine, CLAIMS) == [(giver, "dc-leeds", "RARE", 2)]
        statuses = "SELECT id, status FROM orders WHERE id <> 'web-rest' ORDER BY id"
        assert await rows(database.engine, statuses) == [(taker, "accepted"), (giver, "backordered")]
        why = "SELECT order_id, document->'decision'->'reasons'->>0 FROM sourcing_decisions WHERE cause = 'reallocated'"
        said = dict(await rows(database.engine, why))
        assert taker in said[giver]
        assert giver in said[taker]
        figures = "SELECT data->'gain', data->'promised', data->'after' FROM timeline WHERE data->>'role' = 'got'"
        assert (await rows(database.engine, figures))[0][0] == made.gain > 0
        told = "SELECT recipient FROM outbox WHERE kind = 'order_changed' ORDER BY 1"
        assert await rows(database.engine, told) == [(f"order-{taker}",), (f"order-{giver}",)]
        await check_books(database.engine, reserved=5)

    async def test_a_second_run_finds_nothing(self, database: Database) -> None:
        await a_scarce_day(database)
        assert len((await run(database)).made) == 1
        for _ in range(2):
            done = await run(database)
            assert (done.made, done.again) == ((), frozenset())
        assert len(await rows(database.engine, TOLD)) == 2

    async def test_runs_at_the_same_time_make_it_once(self, database: Database) -> None:
        await a_scarce_day(database)
        done = await asyncio.gather(*(run(database) for _ in range(4)))
        assert sum(len(each.made) for each in done) == 1
        await check_books(database.engine, reserved=5)

    async def test_the_giver_gets_what_comes_before_everybody(self, database: Database) -> None:
        giver, _ = await a_scarce_day(database)
        await run(database)
        first = await waits(database.engine, "first", age=99, priority=0, RARE=2)
        await goods_come(database.engine, ("dc-leeds", "RARE"), 3)
        await deal(database.engine, "RARE")
        held = "SELECT h.backorder_of, r.quantity FROM reservations r JOIN soft_reservations h ON h.id = r.soft_id"
        assert await rows(database.engine, f"{held} ORDER BY 2 DESC") == [(giver, 2), (first, 1)]

    async def test_until_the_day_it_takes_from_the_node_alone(self, database: Database) -> None:
        await a_scarce_day(database)
        await run(database)
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE first_claims SET counted_on = current_date + 1")
        await goods_come(database.engine, ("st-york", "RARE"), 2)
        await deal(database.engine, "RARE")
        held = "SELECT r.node_id FROM reservations r JOIN soft_reservations h ON h.id = r.soft_id"
        assert await rows(database.engine, held) == []
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE first_claims SET counted_on = current_date - 1")
        await deal(database.engine, "RARE")
        assert await rows(database.engine, held) == [("st-york",)]

    @pytest.mark.parametrize("days", [8, 0], ids=["in time", "too late for its promise"])
    async def test_what_came_for_the_giver_is_sent(self, database: Database, days: int) -> None:
        giver, _ = await a_scarce_day(database)
        await run(database)
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE first_claims SET counted_on = current_date + 1")
            told = {"told": MONDAY_NOON + timedelta(days=days, hours=1)}
            await connection.execute(text("UPDATE orders SET promise_latest = :told WHERE id = 'web-waits'"), told)
        await goods_come(database.engine, ("dc-leeds", "RARE"), 2)
        await deal(database.engine, "RARE")
        async with database.engine.begin() as connection:
            await source_waiting(database, connection, giver, SourcingCause.STOCK_ARRIVED, MONDAY_NOON)
        assert (await rows(database.engine, WORK))[1] == (giver, "dc-leeds", "released", 2)
        limits = "SELECT (document->'demand'->>'deliver_by') FROM sourcing_decisions WHERE cause = 'stock arrived'"
        ((limit,),) = await rows(database.engine, limits)
        assert (limit is not None) == (days > 0)
        assert await rows(database.engine, CLAIMS) == []
        await check_books(database.engine, reserved=7)

    async def test_who_waits_longest_is_served_no_later(self, database: Database) -> None:
        """An order before the vip in the queue would get Tuesday's goods: the giver may not stand before it."""
        giver = await can_wait(database, "waits", 8, RARE=2)
        await can_wait(database, "rest", 1, RARE=3)
        await waits(database.engine, "older", age=5, RARE=2)
        taker = await in_danger(database, RARE=2)
        await comes_on(database.engine, TUESDAY, RARE=2)
        assert not (await run(database)).made
        await comes_on(database.engine, TUESDAY, reference="PO-2", RARE=2)
        assert [each.order_ids for each in (await run(database)).made] == [(taker, giver)]


class TestFreeStock:
    async def test_a_part_of_the_work_goes_on_elsewhere(self, database: Database) -> None:
        """The vip wants it by express from England; the giver can have its own from the supplier in France."""
        await policy(database.engine, minimum_gain=1)
        giver = await can_wait(database, "waits", 8, RARE=2, A=1)
        await can_wait(database, "rest", 1, RARE=3)
        taker = await in_danger(database, RARE=1, requested_by=MONDAY_NOON + timedelta(days=3))
        await goods_come(database.engine, ("dropship-lille", "RARE"), 5)
        assert [each.order_ids for each in (await run(database)).made] == [(taker, giver)]
        assert await rows(database.engine, WORK) == [
            (giver, "dc-leeds", "released", 2),
            (giver, "dropship-lille", "released", 1),
            (taker, "dc-leeds", "released", 1),
        ]
        await check_books(database.engine, reserved=7)


class TestWhoGives:
    @pytest.mark.parametrize(
        "spoil",
        [
            "UPDATE fulfilments SET status = 'accepted'",
            "UPDATE orders SET promise_latest = '2026-03-05T20:00Z'",
            "UPDATE orders SET promise_latest = NULL",
            "UPDATE orders SET document = jsonb_set(document, '{shipping_method}', '\"pickup\"') WHERE id = 'web-vip'",
            "UPDATE inbound SET due_on = '2026-03-20'",
            "UPDATE inbound SET confidence = 50",
            "UPDATE inbound SET status = 'cancelled'",
        ],
    )
    async def test_nobody(self, database: Database, spoil: str) -> None:
        await a_scarce_day(database)
        async with database.engine.begin() as connection:
            await connection.execute(text(spoil))
        assert not (await run(database)).made

    async def test_not_what_a_person_holds(self, database: Database) -> None:
        giver, _ = await a_scarce_day(database)
        blocks = frozenset({BlockedStep.RELEASE})
        async with database.engine.begin() as connection:
            hold = PlaceHold(type="manual", blocks=blocks, actor="kim", at=MONDAY_NOON)
            await change_order(connection, giver, hold, WRITING)
        assert not (await run(database)).made

    async def test_not_to_its_like(self, database: Database) -> None:
        await policy(database.engine, classes={"vip": 1.0, "trade": 3.0})
        await a_scarce_day(database)
        assert not (await run(database)).made

    async def test_the_job_runs_where_the_policy_says_so(self, database: Database) -> None:
        await policy(database.engine, enabled=False)
        await a_scarce_day(database)
        job = Reallocating(database.engine, now=database.now)
        await job.run()
        assert await rows(database.engine, TOLD) == []
        await policy(database.engine)
        await job.run()
        assert len(await rows(database.engine, TOLD)) == 2


def node_accepts(fulfilment_id: str) -> Any:
    return TakeNodeStep(fulfilment_id=fulfilment_id, step=FulfilmentStep.ACCEPT, actor="node", at=MONDAY_NOON)


def edit(quantity: int) -> EditOrder:
    change = SetQuantity(line_id="1", quantity=quantity)
    return EditOrder(revision=0, changes=(change,), actor="kim", at=MONDAY_NOON)


COMMANDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "the giver's node accepts": ("web-waits", lambda: node_accepts("web-waits-F1")),
    "the giver is cancelled": ("web-waits", lambda: CancelRest(actor="kim", at=MONDAY_NOON)),
    "the giver is edited": ("web-waits", lambda: edit(1)),
    "the taker is cancelled": ("web-vip", lambda: CancelRest(actor="kim", at=MONDAY_NOON)),
    "the taker is edited": ("web-vip", lambda: edit(1)),
}


class TestRaces:
    @pytest.mark.parametrize("name", COMMANDS)
    async def test_after_it_was_found(self, database: Database, name: str) -> None:
        """What was looked at is not so any more: nothing is changed."""
        await a_scarce_day(database)
        looked = await reallocation.look(database, MONDAY_NOON)
        order_id, command = COMMANDS[name]
        async with database.engine.begin() as connection:
            await change_order(connection, order_id, command(), WRITING)
        with pytest.raises((Outdated, OutOfReach)):
            async with database.engine.begin() as connection:
                await reallocation.change(database, connection, looked.found[0], looked.reference)
        assert await rows(database.engine, TOLD) == []
        assert await rows(database.engine, CLAIMS) == []
        await agree(database.engine)

    @pytest.mark.parametrize("name", COMMANDS)
    async def test_at_the_same_moment(self, database: Database, name: str) -> None:
        await a_scarce_day(database)
        order_id, command = COMMANDS[name]

        async def meddle() -> None:
            async with database.engine.begin() as connection:
                await change_order(connection, order_id, command(), WRITING)

        done, meddled = await asyncio.gather(run(database), meddle(), return_exceptions=True)
        assert not isinstance(done, BaseException), done
        assert meddled is None or isinstance(meddled, DomError), meddled
        told = await rows(database.engine, TOLD)
        assert [role for _, role, _ in told] in ([], ["gave", "got"])
        assert len(done.made) == len(told) / 2
        await agree(database.engine)

    async def test_while_goods_come_in_and_are_dealt_out(self, database: Database) -> None:
        giver, taker = await a_scarce_day(database)
        await asyncio.gather(
            run(database),
            goods_come(database.engine, ("dc-leeds", "RARE"), 1, at_once=True),
            deal(database.engine, "RARE"),
            run(database),
        )
        told = await rows(database.engine, TOLD)
        assert told in ([], [(giver, "gave", [taker]), (taker, "got", [giver])])
        await agree(database.engine)
        soft = "SELECT coalesce(sum(reserved_soft), 0)::int FROM stock"
        assert (await rows(database.engine, soft))[0][0] <= 1


async def agree(engine: AsyncEngine) -> None:
    """Balances, ledger and reservations agree, and every unit of an order is in one place."""
    reserved = int(str((await rows(engine, "SELECT sum(reserved) FROM stock"))[0][0]))
    await check_books(engine, reserved=reserved)
    units = """
        SELECT l.order_id, l.line_id FROM order_lines l
        WHERE l.quantity <> l.cancelled + l.backordered + coalesce((
            SELECT sum(fl.quantity) FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
            WHERE f.order_id = l.order_id AND fl.line_id = l.line_id
            AND f.status NOT IN ('recalled', 'cancelled', 'rejected')), 0)
    """
    assert await rows(engine, units) == []


class TestNobodyGives:
    """The look says of each order in danger what stood in the way."""

    @pytest.mark.parametrize(
        ("why", "asks", "giver", "terms"),
        [
            ("no_lighter_order", {"RARE": 2}, {"customer": VIP}, {}),
            ("in_time", {"RARE": 2, "requested_by": MONDAY_NOON + timedelta(days=20)}, {}, {}),
            ("not_enough", {"RARE": 4}, {}, {}),
            ("promise", {"RARE": 2}, {"days": 1}, {}),
            ("gain", {"RARE": 2}, {}, {"minimum_gain": 10_000_000}),
        ],
    )
    async def test_for_a_reason(
        self, database: Database, why: str, asks: dict[str, Any], giver: dict[str, Any], terms: dict[str, Any]
    ) -> None:
        await policy(database.engine, **terms)
        await can_wait(database, "waits", giver.pop("days", 8), RARE=2, **giver)
        await can_wait(database, "rest", 1, RARE=3, **giver)
        taker = await in_danger(database, **asks)
        await comes_on(database.engine, TUESDAY, RARE=4)
        looked = await reallocation.look(database, MONDAY_NOON)
        assert (looked.found, looked.endangered) == ((), 1)
        (left,) = reallocation.shown_left(looked)
        assert (left["order_id"], left["sku"], left["why"]) == (taker, "RARE", why), left["says"]
        assert ("GBP" in left["says"]) is (why == "gain")

    async def test_for_another_one_gains_more(self, database: Database) -> None:
        _, taker = await a_scarce_day(database)
        other = await in_danger(database, "other", RARE=2)
        looked = await reallocation.look(database, MONDAY_NOON)
        helped = {each.taker.order_id for each in looked.found}
        assert (len(helped), looked.endangered) == (1, 2)
        (left,) = reallocation.shown_left(looked)
        assert ({left["order_id"]}, left["why"]) == ({taker, other} - helped, "others")

    async def test_where_nobody_waits(self, database: Database) -> None:
        looked = await reallocation.look(database, MONDAY_NOON)
        assert (looked.found, looked.endangered, looked.left) == ((), 0, ())
