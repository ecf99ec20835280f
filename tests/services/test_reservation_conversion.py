"""A cart's hold becomes an order: the owner's own units never block him, and nobody slips in between."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.order import Order
from dom.orders.status import SourcingCause
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import Accepted, SourceAgain, Sourced
from services import reservation_conversion
from services.capture import capture
from services.database import Database
from services.reservation_planning import SoftReservationLine, SoftReservationRequest
from services.reservations import SoftReservations
from services.sourcing_again import source_again
from store.network.reference import ReferenceCache
from store.stock import soft
from store.stock.soft import SoftRequest, SoftUnits
from tests.worlds import small
from tests.worlds.backorders import allocated_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.carts import cart, free, held, lapse, rule, statuses, take
from tests.worlds.sourcing import MONDAY_NOON

ENTRIES = "SELECT kind, reserved_delta, soft_delta FROM stock_ledger WHERE kind <> 'opening' ORDER BY id"


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, replaying=True)


async def sourced_again(database: Database, request: SourceAgain) -> Sourced:
    answer = await source_again(database, request)
    assert answer.sourced is not None
    return answer.sourced


async def told(engine: AsyncEngine, order: Order) -> object:
    return await one(
        engine,
        "SELECT data->>'reservation' FROM timeline WHERE order_id = :id AND kind = 'accepted'",
        id=order.order_id,
    )


def order(external_id: str, reservation_id: str | None = "c1", **changes: Any) -> Order:
    return small.order(external_id, reservation_id=reservation_id, **changes)


class TestConversion:
    async def test_the_last_unit_held_by_the_cart_is_ordered_by_the_cart(
        self, world: AsyncEngine, database: Database
    ) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        assert await free(world, "RARE") == {}
        sourced = await accept(database, order("last", RARE=2))
        assert not sourced.waiting
        assert list(sourced.fulfilments.values()) == ["dc-leeds"]
        assert await told(world, order("last")) == "converted"
        assert await statuses(world, "c1") == ("converted", ["converted"])
        assert await one(world, "SELECT order_id FROM soft_reservations WHERE id = 'c1'") == "web-last"
        assert (await rows(world, ENTRIES))[-2:] == [("soft_convert", 0, -2), ("reserve", 2, 0)]
        await check_books(world, reserved=2)

    async def test_what_was_held_and_promised_is_what_is_reserved(self, world: AsyncEngine, database: Database) -> None:
        holding = SoftReservations(world, ReferenceCache(), now=lambda: MONDAY_NOON)
        lines = (SoftReservationLine("A", 3), SoftReservationLine("RARE", 5))
        found, _ = await holding.reserve(SoftReservationRequest("web", "ada", "cart", 600, lines, "GB", "YO1 7EP"))
        await held(world, cart("rest", 100, "A"), cart("more", 47, "A", node="wh-london"))
        placed = order("same", found["id"], A=3, RARE=5)
        sourced = await accept(database, placed)
        reserved = await rows(
            world,
            "SELECT node_id, sku, quantity FROM reservations WHERE kind = 'firm' AND status = 'active' ORDER BY 1, 2",
        )
        assert reserved == [(unit["node_id"], unit["sku"], unit["quantity"]) for unit in found["units"]]
        assert sourced.promise is not None
        assert sourced.promise.model_dump(mode="json") == found["document"]["promise"]
        await check_books(world, reserved=8)

    async def test_an_order_of_less_gives_the_rest_back(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2))
        await accept(database, order("less", RARE=1))
        assert sum((await free(world, "RARE")).values()) == 4
        await check_books(world, reserved=1)

    async def test_an_order_of_more_takes_the_rest_from_free_stock(
        self, world: AsyncEngine, database: Database
    ) -> None:
        await held(world, cart("c1", 2))
        sourced = await accept(database, order("more", RARE=5))
        assert not sourced.waiting
        await check_books(world, reserved=5)

    async def test_an_order_of_something_else_ends_the_hold(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2))
        await accept(database, order("else", B=1))
        assert await free(world, "RARE") == {"dc-leeds": 2, "wh-london": 3}
        assert await told(world, order("else")) == "converted"
        await check_books(world, reserved=1)

    async def test_an_order_that_finds_nothing_ends_the_hold(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2))
        sourced = await accept(database, order("nothing", NEVER=1))
        assert sourced.waiting == {"1": 1}
        assert await statuses(world, "c1") == ("converted", ["converted"])
        await check_books(world)

    async def test_rules_that_came_later_take_nothing_from_the_cart(
        self, world: AsyncEngine, database: Database
    ) -> None:
        await held(world, cart("c1", 2))
        await rule(world, "web", excluded=True)
        sourced = await accept(database, order("ruled", RARE=2))
        assert not sourced.waiting
        assert (await accept(database, order("other", None, RARE=1))).waiting
        await check_books(world, reserved=2)

    async def test_two_shoppers_and_the_last_units(self, world: AsyncEngine, database: Database) -> None:
        """While the cart's order is taken in, everybody else tries to get its units."""
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        async with asyncio.TaskGroup() as group:
            mine = group.create_task(accept(database, order("mine", RARE=2)))
            others = [group.create_task(accept(database, order(f"other-{n}", None, RARE=1))) for n in range(6)]
            carts = [group.create_task(take(world, cart(f"t{n}", 1))) for n in range(6)]
        assert not mine.result().waiting
        assert all(other.result().waiting for other in others)
        assert [each.result() for each in carts] == [[soft.ReservationVerdict.REFUSED]] * 6
        await check_books(world, reserved=2)


class TestClaimsThatDoNotStand:
    @pytest.mark.parametrize("named", ["nobody", "waiting/web-other", "x" * 64, "' OR 1=1"])
    async def test_an_unknown_one_blocks_nothing(self, world: AsyncEngine, database: Database, named: str) -> None:
        await held(world, cart("waiting/web-other", 2))
        await allocated_to(world, order("other", None, A=1), "waiting/web-other")
        sourced = await accept(database, order("unknown", named, RARE=1))
        assert not sourced.waiting
        assert await told(world, order("unknown")) == "unknown"
        assert await statuses(world, "waiting/web-other") == ("active", ["active"])
        await check_books(world, reserved=1)

    async def test_one_of_another_channel_is_unknown(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2, channel="market"), cart("c2", 3, node="wh-london"))
        sourced = await accept(database, order("foreign", RARE=1))
        assert sourced.waiting
        assert await told(world, order("foreign")) == "unknown"
        assert await statuses(world, "c1") == ("active", ["active"])
        await check_books(world)

    async def test_one_that_lapsed_leaves_free_stock(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2))
        await lapse(world, "c1")
        sourced = await accept(database, order("lapsed", RARE=2))
        assert not sourced.waiting
        assert await told(world, order("lapsed")) == "lapsed"
        await check_books(world, reserved=2)

    async def test_one_that_lapsed_and_was_taken_makes_the_order_wait(
        self, world: AsyncEngine, database: Database
    ) -> None:
        await held(world, cart("c1", 2), cart("c3", 3, node="wh-london"))
        await lapse(world, "c1")
        await held(world, cart("c2", 2))
        assert (await accept(database, order("late", RARE=2))).waiting == {"1": 2}
        assert await told(world, order("late")) == "lapsed"
        await check_books(world)

    async def test_one_serves_one_order(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        answers = await asyncio.gather(*(accept(database, order(f"twice-{n}", RARE=2)) for n in range(4)))
        assert sum(bool(answer.fulfilments) for answer in answers) == 1
        outcomes = Counter([await told(world, order(f"twice-{n}")) for n in range(4)])
        assert outcomes == {"converted": 1, "lapsed": 3}
        await check_books(world, reserved=2)

    async def test_an_order_that_names_none_says_nothing_of_it(self, world: AsyncEngine, database: Database) -> None:
        await accept(database, order("none", None, A=1))
        assert await told(world, order("none")) is None

    async def test_one_that_lapses_between_counting_and_taking_is_planned_again(
        self, world: AsyncEngine, database: Database, lapsing: list[str]
    ) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        lapsing.append("c1")
        sourced = await accept(database, order("between", RARE=2))
        assert not sourced.waiting
        assert lapsing == []
        assert await told(world, order("between")) == "lapsed"
        await check_books(world, reserved=2)

    async def test_one_whose_units_another_reclaims_in_between_makes_the_order_wait(
        self, world: AsyncEngine, database: Database, lapsing: list[str], thief: list[str]
    ) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        lapsing.append("c1")
        thief.append("t1")
        sourced = await accept(database, order("stolen", RARE=2))
        assert sourced.waiting == {"1": 2}
        assert await told(world, order("stolen")) == "lapsed"
        await check_books(world)

    @pytest.fixture
    def thief(self) -> list[str]:
        """A cart that takes the units in the moment they lapse."""
        return []

    @pytest.fixture
    def lapsing(self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch, thief: list[str]) -> list[str]:
        """Reservations that lapse after they were counted as the order's own, before they are converted."""
        names: list[str] = []
        settle = reservation_conversion.convert_reservation

        async def too_late(
            connection: AsyncConnection, claim: reservation_conversion.ReservationConversion, decision: Any
        ) -> Any:
            while names:
                await lapse(world, names.pop())
            while thief:
                await held(world, cart(thief.pop(), 2))
            return await settle(connection, claim, decision)

        monkeypatch.setattr(reservation_conversion, "convert_reservation", too_late)
        return names


class TestAgain:
    async def test_the_same_order_again_changes_nothing(self, world: AsyncEngine, database: Database) -> None:
        await held(world, cart("c1", 2))
        await accept(database, order("again", RARE=2))
        entries = await rows(world, ENTRIES)
        again = await asyncio.gather(*(capture(database, order("again", RARE=2)) for _ in range(4)))
        assert again == [Accepted()] * 4
        assert await rows(world, ENTRIES) == entries
        await check_books(world, reserved=2)

    async def test_a_crash_before_the_commit_leaves_the_hold_and_the_next_try_converts_it(
        self, world: AsyncEngine, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        settle = reservation_conversion.convert_reservation

        async def dies(
            connection: AsyncConnection, claim: reservation_conversion.ReservationConversion, decision: Any
        ) -> Any:
            await settle(connection, claim, decision)
            raise RuntimeError("killed")

        monkeypatch.setattr(reservation_conversion, "convert_reservation", dies)
        with pytest.raises(RuntimeError):
            await accept(database, order("crash", RARE=2))
        assert await statuses(world, "c1") == ("active", ["active"])
        assert await one(world, "SELECT count(*) FROM orders") == 0
        monkeypatch.setattr(reservation_conversion, "convert_reservation", settle)
        assert not (await accept(database, order("crash", RARE=2))).waiting
        assert await told(world, order("crash")) == "converted"
        await check_books(world, reserved=2)


class TestWaitingOrder:
    async def test_takes_what_was_set_aside_for_it_and_nobody_else_does(
        self, world: AsyncEngine, database: Database
    ) -> None:
        await held(world, cart("c1", 2), cart("c2", 3, node="wh-london"))
        waiting = order("waits", None, RARE=2)
        assert (await accept(database, waiting)).waiting == {"1": 2}
        aside = SoftRequest(
            "waiting/web-waits",
            "web",
            "order/web-waits",
            "waiting order",
            600,
            (SoftUnits("dc-leeds", "RARE", 2),),
            brokering=True,
        )
        await lapse(world, "c1")
        await held(world, aside)
        await allocated_to(world, waiting, aside.id)
        await rule(world, "web", share=10)
        again = SourceAgain(
            order_id=waiting.order_id,
            attempt=2,
            cause=SourcingCause.STOCK_ARRIVED,
            as_of=MONDAY_NOON,
            failed_nodes=FailedNodes.AFTER_OTHER_NEWS,
        )
        others = [accept(database, order(f"other-{n}", "waiting/web-waits", RARE=1)) for n in range(4)]
        sourced, *answers = await asyncio.gather(sourced_again(database, again), *others)
        assert not sourced.waiting
        assert all(answer.waiting for answer in answers)
        assert await statuses(world, aside.id) == ("converted", ["converted"])
        assert await sourced_again(database, again) == sourced.model_copy(update={"known": True})
        await check_books(world, reserved=2)


class TestRaces:
    async def test_ordering_against_expiry_release_and_extension(self, world: AsyncEngine, database: Database) -> None:
        """The cart runs out, is given up and prolonged while its order comes in; others want the units."""
        for number in range(8):
            name = f"race{number}"
            await held(world, cart(name, 10, "B", seconds=600))
            await lapse(world, name, timedelta(milliseconds=20 + 8 * number))
            placed = order(f"race{number}", name, B=10)

            async def ended(what: str, name: str = name) -> object:
                async with world.begin() as connection:
                    if what == "extend":
                        return await soft.extend(connection, name, 60)
                    if what == "sweep":
                        return await soft.sweep(connection)
                    await asyncio.sleep(0.03)
                    return await soft.release(connection, name, reason="test", actor="test")

            async with asyncio.TaskGroup() as group:
                sourced = group.create_task(accept(database, placed))
                for what in ("extend", "release", "sweep"):
                    group.create_task(ended(what))
            assert not sourced.result().waiting
            header, units = await statuses(world, name)
            outcome = await told(world, placed)
            assert (outcome == "converted") == (header == "converted")
            assert header not in {"converted", "released"} or units == [header]
            await check_books(world, reserved=10 * (number + 1))
