"""Units on their way are never lost or made: announced, shipped, received in parts, called off; alone and at once."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import (
    Conflict,
    DomError,
    InvalidInput,
    NotFound,
    StepNotPossible,
    StockConflict,
    UnknownNode,
    UnknownSku,
)
from store import inbound
from store.enums import InboundKind, InboundStatus
from store.inbound import Announcement, Arrived, InboundFilter
from store.inbound.terms import COUNTED, COUNTED_FROM
from store.stock import soft
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.inbounds import (
    FRIDAY,
    LINES,
    _own_return,
    announce,
    cancel,
    counted,
    get,
    in_transit,
    order,
    receive,
    reserve,
    ship,
    transfer,
)
from tests.worlds.sourcing import MONDAY_NOON


class TestAnnouncing:
    async def test_the_same_again_changes_nothing(self, world: AsyncEngine) -> None:
        assert await announce(world, order(A=5, B=2))
        assert not await announce(world, order(B=2, A=5))
        assert (await get(world, "PO-1"))["lines"] == [
            {"sku": "A", "quantity": 5, "received": 0, "expected": 5, "missing": 0, "surplus": 0},
            {"sku": "B", "quantity": 2, "received": 0, "expected": 2, "missing": 0, "surplus": 0},
        ]

    async def test_other_content_replaces_while_nothing_moved(self, world: AsyncEngine) -> None:
        await announce(world, order(A=5, B=2))
        assert not await announce(world, transfer("PO-1", A=7))
        found = await get(world, "PO-1")
        assert [(line["sku"], line["quantity"]) for line in found["lines"]] == [("A", 7)]
        assert (found["kind"], found["origin_node"], found["confidence"]) == ("transfer", "dc-leeds", 100)

    @pytest.mark.parametrize("moved", ["received", "closed", "shipped", "cancelled"])
    async def test_other_content_is_a_conflict_once_something_moved(self, world: AsyncEngine, moved: str) -> None:
        first = transfer(A=5) if moved == "shipped" else order("T-1", A=5)
        await announce(world, first)
        if moved == "shipped":
            await ship(world)
        elif moved == "cancelled":
            await cancel(world)
        else:
            await receive(world, "T-1", "k", *[Arrived("A", 1)], closed=moved == "closed")
        before = await get(world, "T-1")
        with pytest.raises(Conflict):
            await announce(world, order("T-1", A=6))
        assert not await announce(world, first), "a late repeat of what is known does no harm"
        assert await get(world, "T-1") == before

    @pytest.mark.parametrize(
        ("announced", "kind", "field"),
        [
            (order(node_id="nowhere", A=1), UnknownNode, "node_id"),
            (transfer(origin="nowhere", A=1), UnknownNode, "origin_node"),
            (order(A=1, NONE=1), UnknownSku, "lines[1].sku"),
            (transfer(to="dc-leeds", A=1), InvalidInput, "node_id"),
            (Announcement("X", InboundKind.TRANSFER, "dc-leeds", None, FRIDAY, 1, (("A", 1),)), InvalidInput,
             "origin_node"),
            (Announcement("X", InboundKind.RETURN, "dc-leeds", "st-york", FRIDAY, 1, (("A", 1),)), InvalidInput,
             "origin_node"),
            (Announcement("X", InboundKind.RETURN, "dc-leeds", None, FRIDAY, 1, (("A", 1), ("A", 1))), InvalidInput,
             "lines[1].sku"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be_is_refused(
        self, world: AsyncEngine, announced: Announcement, kind: type[DomError], field: str
    ) -> None:
        with pytest.raises(kind) as refused:
            await announce(world, announced)
        assert refused.value.field == field
        assert await one(world, "SELECT count(*) FROM inbound") == 0

    async def test_many_at_once_open_one(self, world: AsyncEngine) -> None:
        fresh = await asyncio.gather(*(announce(world, order(A=1 + number % 2, B=3)) for number in range(12)))
        assert sum(fresh) == 1
        assert [line["quantity"] for line in (await get(world, "PO-1"))["lines"]][1:] == [3]

    async def test_a_return_of_the_house_is_not_to_be_announced_by_others(self, world: AsyncEngine) -> None:
        await _own_return(world)
        with pytest.raises(StepNotPossible):
            await announce(world, order("web-own-R1", A=5))
        with pytest.raises(StepNotPossible):
            await receive(world, "web-own-R1", "k", Arrived("A", 2))


class TestShipping:
    async def test_units_leave_the_origin_and_are_in_transit(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=40, RARE=2))
        for _ in range(3):
            await ship(world)
        assert await balance(world, "dc-leeds", "A") == (60, 0)
        assert await balance(world, "dc-leeds", "RARE") == (0, 0)
        assert await balance(world, "wh-london", "A") == (50, 0)
        assert await in_transit(world) == 42
        entries = "SELECT sku, on_hand_delta, business_key FROM stock_ledger WHERE kind = 'transfer_out' ORDER BY sku"
        key = "inbound/T-1/ship"
        assert await rows(world, entries) == [("A", -40, key), ("RARE", -2, key)]
        await check_books(world)

    async def test_whole_or_not_at_all(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=5, B=101, NEVER=1))
        with pytest.raises(StockConflict) as refused:
            await ship(world)
        assert refused.value.data == {
            "short": [{"sku": "B", "quantity": 101, "free": 100}, {"sku": "NEVER", "quantity": 1, "free": 0}]
        }
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert (await get(world, "T-1"))["status"] == "announced"

    async def test_reserved_units_never_leave(self, world: AsyncEngine) -> None:
        held = small.order(RARE=1)
        await reserve(world, held)
        await announce(world, transfer(RARE=2))
        with pytest.raises(StockConflict):
            await ship(world)
        await announce(world, transfer(RARE=1))
        await ship(world)
        assert await balance(world, "dc-leeds", "RARE") == (1, 1)
        await check_books(world, reserved=1)

    async def test_a_cart_keeps_its_units_until_it_lapses(self, world: AsyncEngine) -> None:
        request = soft.SoftRequest("cart-1", "web", "c", "cart", 900, (soft.SoftUnits("dc-leeds", "RARE", 1),))
        async with world.begin() as connection:
            assert await soft.take(connection, [request]) == [soft.ReservationVerdict.TAKEN]
        await announce(world, transfer(RARE=2))
        with pytest.raises(StockConflict):
            await ship(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE reservations SET expires_at = now() - interval '1 second'"))
            await connection.execute(text("UPDATE soft_reservations SET expires_at = now() - interval '1 second'"))
        await ship(world)
        assert await rows(
            world, "SELECT on_hand, reserved_soft FROM stock WHERE node_id = 'dc-leeds' AND sku = 'RARE'"
        ) == [(0, 0)]
        await check_books(world)

    async def test_what_left_before_the_count_was_seen_by_it(self, world: AsyncEngine) -> None:
        await counted(world, "dc-leeds", "A", MONDAY_NOON)
        await announce(world, transfer(A=100, B=1))
        await ship(world, at=MONDAY_NOON - timedelta(hours=1))
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert await balance(world, "dc-leeds", "B") == (99, 0)
        assert await in_transit(world) == 101

    async def test_a_purchase_order_on_its_way_moves_nothing(self, world: AsyncEngine) -> None:
        await announce(world, order(A=5))
        await ship(world, "PO-1")
        assert (await get(world, "PO-1"))["status"] == "in_transit"
        assert await in_transit(world) == 0
        await check_books(world)

    async def test_what_was_called_off_or_is_not_there(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=5))
        await cancel(world)
        with pytest.raises(StepNotPossible):
            await ship(world)
        with pytest.raises(NotFound):
            await ship(world, "none")

    async def test_opposite_transfers_do_not_lock_each_other_out(self, world: AsyncEngine) -> None:
        for number in range(20):
            ends = ("wh-london", "dc-leeds") if number % 2 else ("dc-leeds", "wh-london")
            units = {"A": 1, "RARE": 0 if number > 3 else 1}
            units = {sku: quantity for sku, quantity in units.items() if quantity}
            await announce(world, transfer(f"T-{number}", ends[0], ends[1], **units))

        async def all_of_it(number: int) -> None:
            await ship(world, f"T-{number}")
            lines = [Arrived(line["sku"], line["quantity"]) for line in (await get(world, f"T-{number}"))["lines"]]
            await receive(world, f"T-{number}", "k", *lines)

        async with asyncio.timeout(30):
            await asyncio.gather(*map(all_of_it, range(20)))
        assert await in_transit(world) == 0
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await check_books(world)


class TestReading:
    async def test_by_due_date_in_pages(self, world: AsyncEngine) -> None:
        for number in range(5):
            later = FRIDAY + timedelta(days=number % 2)
            await announce(
                world, Announcement(f"R-{number}", InboundKind.RETURN, "st-york", None, later, 1, (("A", 1),))
            )
        async with world.connect() as connection:
            first = await inbound.find(connection, InboundFilter(), after=None, limit=3)
            after = (first[-1]["due_on"], first[-1]["reference"])
            second = await inbound.find(connection, InboundFilter(), after=after, limit=3)
        assert [row["reference"] for row in (*first, *second)] == ["R-0", "R-2", "R-4", "R-1", "R-3"]

    async def test_filters_combine(self, world: AsyncEngine) -> None:
        await announce(world, order("PO-1", A=5, B=3))
        await announce(world, order("PO-2", "wh-london", B=3))
        await announce(world, transfer("T-1", A=1))
        await cancel(world, "PO-1")

        async def found(**filters: Any) -> list[str]:
            async with world.connect() as connection:
                page = await inbound.find(connection, InboundFilter(**filters), after=None, limit=9)
            return [row["reference"] for row in page]

        assert await found(sku="B") == ["PO-1", "PO-2"]
        assert await found(sku="B", status=InboundStatus.CANCELLED) == ["PO-1"]
        assert await found(node_id="wh-london") == ["PO-2", "T-1"]
        assert await found(node_id="wh-london", kind=InboundKind.TRANSFER) == ["T-1"]

    async def test_in_transit_by_ends(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10, B=2))
        await ship(world)
        await receive(world, "T-1", "1", Arrived("A", 3), Arrived("B", 5))
        async with world.connect() as connection:
            assert [tuple(dict(row).values()) for row in await inbound.in_transit(connection)] == [
                ("dc-leeds", "wh-london", "A", 7)
            ]
            assert await inbound.in_transit(connection, "B") == []


class TestWhatAtpCountsOn:
    @pytest.mark.parametrize(
        ("days", "shipped", "counted_in"),
        [(3, False, 3), (0, False, 0), (-1, False, None), (3, True, 3), (-1, True, 0)],
    )
    async def test_overdue_goods_only_if_they_are_on_their_way(
        self, world: AsyncEngine, days: int, shipped: bool, counted_in: int | None
    ) -> None:
        today = await one(world, "SELECT (now() AT TIME ZONE 'UTC')::date")
        assert isinstance(today, date)
        due_on = today + timedelta(days=days)
        await announce(world, Announcement("T-1", InboundKind.TRANSFER, "st-york", "dc-leeds", due_on, 60, (("A", 9),)))
        if shipped:
            await ship(world)
            await receive(world, "T-1", "1", Arrived("A", 2))
        query = f"SELECT {COUNTED}, {COUNTED_FROM} {LINES}"
        day = None if counted_in is None else today + timedelta(days=counted_in)
        assert await rows(world, query) == [(4 if shipped else 5, day)]

    async def test_what_has_ended_counts_for_nothing(self, world: AsyncEngine) -> None:
        await announce(world, order(A=9))
        await receive(world, "PO-1", "1", Arrived("A", 2), closed=True)
        await announce(world, order("PO-2", A=9))
        await cancel(world, "PO-2")
        assert await one(world, f"SELECT sum({COUNTED}) {LINES}") == 0
