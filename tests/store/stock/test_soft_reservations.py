"""Holding units for a cart: planned as an order is, once a key, one reservation an owner."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import ShippingMethod
from dom.shared.errors import Conflict, NotFound, ReservationEnded, StockConflict, UnknownNode, UnknownSku
from services.reservation_planning import SoftReservationLine, SoftReservationRequest
from services.reservations import SoftReservations
from store.network.reference import ReferenceCache
from tests.worlds.books import check_books, one, rows
from tests.worlds.carts import free, lapse, statuses
from tests.worlds.sourcing import MONDAY_NOON

HELD = """
SELECT node_id, sku, sum(quantity)::int FROM reservations WHERE status = 'active'
AND expires_at > clock_timestamp() GROUP BY node_id, sku ORDER BY node_id, sku
"""


@pytest.fixture
def reservations(world: AsyncEngine) -> SoftReservations:
    return SoftReservations(world, ReferenceCache(), now=lambda: MONDAY_NOON)


def asked_for(owner: str = "cart-1", *, at: str | None = None, **changes: Any) -> SoftReservationRequest:
    """What a shopper asks for in York: `asked_for("cart-1", A=2)`; `at` a node."""
    lines = tuple(SoftReservationLine(sku, n, at) for sku, n in changes.items() if sku.isupper())
    fields = {name: value for name, value in changes.items() if name.islower()}
    return SoftReservationRequest(
        **{
            "channel": "web",
            "owner": owner,
            "reason": "cart",
            "seconds": 600,
            "lines": lines or (SoftReservationLine("RARE", 1, at),),
            "country": "GB",
            "postal_code": "YO1 7EP",
            **fields,
        }
    )


class TestHold:
    async def test_holds_what_an_order_would_get_and_promises_it(
        self, world: AsyncEngine, reservations: SoftReservations
    ) -> None:
        found, created = await reservations.reserve(asked_for(A=2, RARE=5))
        assert created
        assert found["status"] == "active"
        assert found["units"] == [
            {"node_id": "dc-leeds", "sku": "RARE", "quantity": 2},
            {"node_id": "wh-london", "sku": "A", "quantity": 2},
            {"node_id": "wh-london", "sku": "RARE", "quantity": 3},
        ]
        assert found["document"]["promise"]["earliest"] < found["document"]["promise"]["latest"]
        assert await free(world, "RARE") == {}
        await check_books(world)

    async def test_holds_for_collection_at_the_node(self, reservations: SoftReservations) -> None:
        asked = asked_for(
            A=5, pickup_node="st-york", shipping_method=ShippingMethod.PICKUP, country="ZZ", postal_code=""
        )
        found, _ = await reservations.reserve(asked)
        assert found["units"] == [{"node_id": "st-york", "sku": "A", "quantity": 5}]

    async def test_holds_where_the_caller_says(self, reservations: SoftReservations) -> None:
        found, _ = await reservations.reserve(asked_for(at="wh-london", A=1, RARE=3))
        assert {unit["node_id"] for unit in found["units"]} == {"wh-london"}
        assert found["document"]["promise"] is None

    async def test_says_what_could_be_held_of_each_line_and_holds_nothing(
        self, world: AsyncEngine, reservations: SoftReservations
    ) -> None:
        lines = (SoftReservationLine("A", 1), SoftReservationLine("RARE", 4), SoftReservationLine("RARE", 3))
        with pytest.raises(StockConflict) as refused:
            await reservations.reserve(asked_for(lines=lines))
        told = {line["index"]: line["available"] for line in refused.value.data["lines"]}
        assert told[0] == 1
        assert told[1] + told[2] == 5
        assert refused.value.field in {"lines[1].quantity", "lines[2].quantity"}
        assert await rows(world, HELD) == []

    async def test_lines_of_one_balance_share_it(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        lines = (SoftReservationLine("RARE", 2, "wh-london"), SoftReservationLine("RARE", 2, "wh-london"))
        with pytest.raises(StockConflict) as refused:
            await reservations.reserve(asked_for(lines=lines))
        assert [line["available"] for line in refused.value.data["lines"]] == [2, 1]
        assert refused.value.field == "lines[1].quantity"

    async def test_names_what_it_does_not_know(self, reservations: SoftReservations) -> None:
        with pytest.raises(UnknownSku) as sku:
            await reservations.reserve(asked_for(A=1, WRONG=1))
        assert sku.value.field == "lines[1].sku"
        with pytest.raises(UnknownNode) as node:
            await reservations.reserve(asked_for(at="nowhere", A=1))
        assert node.value.field == "lines[0].node_id"
        with pytest.raises(UnknownNode):
            await reservations.reserve(asked_for(A=1, pickup_node="nowhere", shipping_method=ShippingMethod.PICKUP))

    async def test_a_closed_node_holds_nothing(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        async with world.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE nodes SET active = false, document = document || '{\"active\": false}' WHERE id = 'st-york'"
                )
            )
            await connection.execute(text("UPDATE reference_state SET version = version + 1"))
        with pytest.raises(StockConflict):
            await reservations.reserve(asked_for(at="st-york", A=1))

    async def test_two_shoppers_and_one_unit(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        await reservations.reserve(asked_for("first", RARE=4))
        answers = await asyncio.gather(
            *(reservations.reserve(asked_for(f"cart-{n}", RARE=1)) for n in range(2)), return_exceptions=True
        )
        assert Counter(type(answer) for answer in answers) == {tuple: 1, StockConflict: 1}
        await check_books(world)

    async def test_a_rush_is_planned_again_until_the_last_unit(
        self, world: AsyncEngine, reservations: SoftReservations
    ) -> None:
        """All plan on the same snapshot, most find the nearest node sold out, and go on to the next."""
        answers = await asyncio.gather(
            *(reservations.reserve(asked_for(f"cart-{n}", RARE=1)) for n in range(30)), return_exceptions=True
        )
        assert Counter(type(answer) for answer in answers) == {tuple: 5, StockConflict: 25}
        assert await rows(world, HELD) == [("dc-leeds", "RARE", 2), ("wh-london", "RARE", 3)]
        await check_books(world)


class TestKey:
    async def test_the_same_key_holds_once(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        answers = await asyncio.gather(*(reservations.reserve(asked_for(RARE=2), "k") for _ in range(8)))
        assert sum(created for _, created in answers) == 1
        assert len({found["id"] for found, _ in answers}) == 1
        assert await rows(world, HELD) == [("dc-leeds", "RARE", 2)]
        await check_books(world)

    async def test_two_processes_with_the_same_key_hold_once(self, world: AsyncEngine) -> None:
        processes = [SoftReservations(world, ReferenceCache(), now=lambda: MONDAY_NOON) for _ in range(6)]
        for number in range(6):
            asked = asked_for(f"cart-{number}", RARE=5)
            answers = await asyncio.gather(*(each.reserve(asked, "k") for each in processes))
            assert sum(created for _, created in answers) == 1
            await processes[0].release(answers[0][0]["id"])
        await check_books(world)

    async def test_it_is_answered_again_when_the_stock_is_gone_and_when_it_ended(
        self, reservations: SoftReservations
    ) -> None:
        found, _ = await reservations.reserve(asked_for(RARE=5), "k")
        again, created = await reservations.reserve(asked_for(RARE=5), "k")
        assert (again["id"], created) == (found["id"], False)
        await reservations.release(found["id"])
        await reservations.reserve(asked_for("other", RARE=5))
        ended, created = await reservations.reserve(asked_for(RARE=5), "k")
        assert (ended["status"], created) == ("released", False)

    async def test_for_another_request_it_is_refused(self, reservations: SoftReservations) -> None:
        await reservations.reserve(asked_for(RARE=1), "k")
        with pytest.raises(Conflict):
            await reservations.reserve(asked_for(RARE=2), "k")

    async def test_keys_of_two_owners_are_two(self, reservations: SoftReservations) -> None:
        (one_, _), (other, _) = [
            await reservations.reserve(asked_for(owner, RARE=1), "k") for owner in ("cart-1", "cart-2")
        ]
        assert one_["id"] != other["id"]


class TestAgain:
    async def test_an_owner_who_asks_again_is_not_blocked_by_himself(
        self, world: AsyncEngine, reservations: SoftReservations
    ) -> None:
        first, _ = await reservations.reserve(asked_for(RARE=5))
        second, created = await reservations.reserve(asked_for(RARE=5, A=1))
        assert created
        assert await statuses(world, first["id"]) == ("released", ["released"])
        assert await rows(world, HELD) == [
            ("dc-leeds", "RARE", 2),
            ("wh-london", "A", 1),
            ("wh-london", "RARE", 3),
        ]
        assert second["status"] == "active"
        await check_books(world)

    async def test_nobody_slips_in_between(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        await reservations.reserve(asked_for(RARE=5))
        others = [reservations.reserve(asked_for(f"other-{n}", RARE=1)) for n in range(12)]
        again = [reservations.reserve(asked_for(RARE=5)) for _ in range(6)]
        answers = await asyncio.gather(*again, *others, return_exceptions=True)
        assert all(isinstance(answer, tuple) for answer in answers[:6]), answers[:6]
        assert all(isinstance(answer, StockConflict) for answer in answers[6:])
        assert await one(world, "SELECT count(*) FROM soft_reservations WHERE status = 'active'") == 1
        await check_books(world)

    async def test_what_he_holds_stays_when_more_cannot_be_had(
        self, world: AsyncEngine, reservations: SoftReservations
    ) -> None:
        first, _ = await reservations.reserve(asked_for(RARE=2))
        with pytest.raises(StockConflict):
            await reservations.reserve(asked_for(RARE=6))
        assert await statuses(world, first["id"]) == ("active", ["active"])

    async def test_what_lapsed_is_in_nobodys_way(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        first, _ = await reservations.reserve(asked_for(RARE=5))
        await lapse(world, first["id"])
        await reservations.reserve(asked_for("other", RARE=5))
        with pytest.raises(StockConflict):
            await reservations.reserve(asked_for(RARE=1))
        second, _ = await reservations.reserve(asked_for(A=1))
        assert second["status"] == "active"
        await check_books(world)

    async def test_owners_of_two_channels_are_two(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        await reservations.reserve(asked_for(A=1))
        await reservations.reserve(asked_for(A=1, channel="market"))
        assert await one(world, "SELECT count(*) FROM soft_reservations WHERE status = 'active'") == 2

    async def test_asking_from_many_processes_leaves_one(self, world: AsyncEngine) -> None:
        processes = [SoftReservations(world, ReferenceCache(), now=lambda: MONDAY_NOON) for _ in range(4)]
        answers = await asyncio.gather(
            *(processes[n % 4].reserve(asked_for(A=1 + n % 3, RARE=1)) for n in range(16)), return_exceptions=True
        )
        assert all(isinstance(answer, tuple) for answer in answers), answers
        assert await one(world, "SELECT count(*) FROM soft_reservations WHERE status = 'active'") == 1
        await check_books(world)


class TestLater:
    async def test_is_extended_and_never_shortened(self, reservations: SoftReservations) -> None:
        found, _ = await reservations.reserve(asked_for(A=1))
        longer = await reservations.extend(found["id"], 3600)
        assert longer["expires_at"] > found["expires_at"]
        assert (await reservations.extend(found["id"], 1))["expires_at"] == longer["expires_at"]

    async def test_what_ended_is_not_extended(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        for end in ("released", "expired"):
            found, _ = await reservations.reserve(asked_for(A=1))
            if end == "released":
                await reservations.release(found["id"])
            else:
                await lapse(world, found["id"])
            with pytest.raises(ReservationEnded) as refused:
                await reservations.extend(found["id"], 600)
            assert refused.value.data == {"status": end}

    async def test_is_released_once_and_stays_so(self, world: AsyncEngine, reservations: SoftReservations) -> None:
        found, _ = await reservations.reserve(asked_for(RARE=5))
        answers = await asyncio.gather(*(reservations.release(found["id"]) for _ in range(4)))
        assert {answer["status"] for answer in answers} == {"released"}
        assert await free(world, "RARE") == {"dc-leeds": 2, "wh-london": 3}
        await check_books(world)

    async def test_who_names_none_hears_so(self, reservations: SoftReservations) -> None:
        for ask in (reservations.get, reservations.release, lambda soft_id: reservations.extend(soft_id, 1)):
            with pytest.raises(NotFound):
                await ask("web-SNONE")
