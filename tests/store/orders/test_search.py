"""Orders are found by what people know of them, and nobody finds what he may not see."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import ExceptionKind
from dom.orders.search_filter import OrderFilter
from dom.shared.access import UNLIMITED, Limits
from store import exceptions
from store.delivery import shipments
from store.delivery.shipments import BookedShipment
from store.orders import search
from store.orders.search import Position, Search
from tests.worlds import small
from tests.worlds.written import place

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ADA = {"id": "C1", "name": "Ada Müller-O\u2019Brien", "email": "ada@customer.example", "phone": "+447700900123"}
HANA = {"id": "K77", "name": "山田花子", "email": "hana@shop.example"}
OLENA = {"id": "K78", "name": "Олена Мельник", "email": "olena@shop.example"}


async def page(engine: AsyncEngine, *filters: OrderFilter, now: datetime = NOW, **how: Any) -> list[Position]:
    async with engine.connect() as connection:
        return await search.find(connection, Search(filters, now, **how))


async def ids(engine: AsyncEngine, limits: Limits = UNLIMITED, **wanted: Any) -> set[str]:
    return {order_id for _, order_id in await page(engine, OrderFilter(**wanted), limits=limits)}


async def change(engine: AsyncEngine, statement: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


@pytest.fixture(params=["walked", "collected"])
async def orders(world: AsyncEngine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncEngine:
    """Three customers' orders at two nodes; found by the walk, or where that finds nothing by collecting."""
    if request.param == "collected":
        monkeypatch.setattr(search, "NEWEST", 0)
    await place(world, small.order("536365", A=2, customer=ADA, tags=["gift", "Gift Wrap"]))
    await place(world, small.order("M-77/8", channel="marketplace", B=1, customer=HANA), "wh-london")
    await place(world, small.order("990017", A=1, customer=OLENA), "wh-london", status="handed_over")
    async with world.begin() as connection:
        booked = BookedShipment(
            "web-990017-F1-B1", "northline", "standard", "NL771316016GB", 1, 500, 300, "GBP", {}, b"", "text/plain"
        )
        await shipments.book(connection, booked, ["web-990017-F1"], NOW)
        await connection.execute(
            text("""
            INSERT INTO returns (id, order_id, node_id, status, number, reason, content_hash, requested_at)
            VALUES ('web-536365-R7KQ2MX', 'web-536365', 'dc-leeds', 'requested', 1, '', '', now())
            """)
        )
    return world


FIRST, SECOND, THIRD = "web-536365", "marketplace-M-77~2F8", "web-990017"


class TestTyped:
    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("ada@customer.example", {FIRST}),
            ("@SHOP.example", {SECOND, THIRD}),
            ("muller", {FIRST}),
            ("MÜLLER ada", {FIRST}),
            ("obrien", {FIRST}),
            ("ada melnyk", set()),
            ("山田", {SECOND}),
            ("山", set()),
            ("花子さん", set()),
            ("ОЛЕНА", {THIRD}),
            ("07700 900123", {FIRST}),
            ("+44 (0) 7700 900 123", {FIRST}),
            ("0044-7700-900123", {FIRST}),
            ("900123", {FIRST}),
            ("363", {FIRST}),
            ("web-9900", {THIRD}),
            ("m-77/8", {SECOND}),
            ("536365-F1", {FIRST}),
            ("web-536365-f1", {FIRST}),
            ("web-536365-F2", set()),
            ("web-536365-R7KQ2MX", {FIRST}),
            ("7kq2", {FIRST}),
            ("NL771316016GB", {THIRD}),
            ("nl 7713 16016 gb", {THIRD}),
            ("1316016", {THIRD}),
            ("a", {FIRST, THIRD}),
            ("b", {SECOND}),
            ("mu", {FIRST}),
            ("ul", set()),
            ("da", set()),
            ("da@customer.ex", {FIRST}),
            ("customer.example", {FIRST}),
            ("web-5363", {FIRST}),
            ("eb-5363", {FIRST}),
            ("web-6365", set()),
            ("yo17ep", {FIRST, SECOND, THIRD}),
            ("YO1 7EP", {FIRST, SECOND, THIRD}),
            ("gift", {FIRST}),
            ("%%%", set()),
            ("___", set()),
            ("\\", set()),
            ("--", set()),
            ("'; DROP TABLE orders; --", set()),
            ("qqq", set()),
        ],
    )
    async def test_is_found_wherever_it_stands(self, orders: AsyncEngine, typed: str, found: set[str]) -> None:
        assert await ids(orders, q=typed) == found


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"node": ("wh-london",)}, {SECOND, THIRD}),
            ({"node": ("wh-london", "dc-leeds"), "sku": "A"}, {FIRST, THIRD}),
            ({"node": ("st-york",)}, set()),
            ({"postal_code": "yo1"}, {FIRST, SECOND, THIRD}),
            ({"postal_code": "YO17EP", "channel": ("marketplace",)}, {SECOND}),
            ({"postal_code": "7EP"}, set()),
            ({"postal_code": "--"}, set()),
            ({"tracking": "nl7713 16016gb"}, {THIRD}),
            ({"tracking": "1316"}, {THIRD}),
            ({"tracking": "----"}, set()),
            ({"tag": ("gift",)}, {FIRST}),
            ({"tag": ("Gift",)}, set()),
            ({"tag": ("Gift Wrap", "none")}, {FIRST}),
            ({"tag": ()}, set()),
            ({"customer": "K77"}, {SECOND}),
            ({"customer": "K77", "channel": ("web",)}, set()),
            ({"status": ("accepted", "shipped")}, {FIRST, SECOND, THIRD}),
            ({"status": ()}, set()),
            ({"placed_from": "2026-03-02", "placed_to": "2026-03-02"}, {FIRST, SECOND, THIRD}),
            ({"placed_from": "today-17"}, set()),
            ({"placed_to": "today-18", "sort": "placed"}, {FIRST, SECOND, THIRD}),
        ],
    )
    async def test_each_leaves_what_it_names(
        self, orders: AsyncEngine, wanted: dict[str, Any], found: set[str]
    ) -> None:
        assert await ids(orders, **wanted) == found

    async def test_work_that_a_node_gave_up_is_not_its_work(self, orders: AsyncEngine) -> None:
        await change(orders, "UPDATE fulfilments SET status = 'rejected' WHERE id = 'web-536365-F1'")
        assert await ids(orders, node=("dc-leeds",)) == set()

    async def test_waiting(self, orders: AsyncEngine) -> None:
        await change(orders, "UPDATE order_lines SET backordered = 1 WHERE order_id = :id", id=FIRST)
        assert await ids(orders, waiting=True) == {FIRST}
        assert await ids(orders, waiting=False) == {SECOND, THIRD}

    async def test_held(self, orders: AsyncEngine) -> None:
        statement = """INSERT INTO order_holds (id, order_id, type, blocks, placed_by, placed_at)
                       VALUES (:hold, :id, 'manual', '{release}', 'test', now())"""
        for order_id in (FIRST, SECOND):
            await change(orders, statement, hold=f"{order_id}-H1", id=order_id)
        await change(
            orders, "UPDATE order_holds SET released_at = now(), released_by = 't' WHERE order_id = :id", id=SECOND
        )
        assert await ids(orders, held=True) == {FIRST}
        assert await ids(orders, held=False) == {SECOND, THIRD}
        await change(orders, "UPDATE orders SET status = 'delivered' WHERE id = :id", id=FIRST)
        assert await ids(orders, held=True) == set()

    async def test_of_two_filters_both_hold(self, orders: AsyncEngine) -> None:
        async def both(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
            found = await page(orders, OrderFilter(**one), OrderFilter(**other))
            return {order_id for _, order_id in found}

        assert await both({"channel": ("web",)}, {"q": "shop.example"}) == {THIRD}
        assert await both({"channel": ("web",)}, {"channel": ("marketplace",)}) == set()
        assert await both({"channel": ("web", "marketplace")}, {"channel": ("marketplace",)}) == {SECOND}
        assert await both({"customer": "C1"}, {"customer": "K77"}) == set()
        assert await both({"q": "ada"}, {"q": "muller", "late": False}) == {FIRST}


class TestPromise:
    async def promised(self, engine: AsyncEngine, **ends: datetime | None) -> None:
        for order_id, end in ends.items():
            statement = "UPDATE orders SET promise_latest = :end, promise_earliest = :end WHERE id = :id"
            await change(engine, statement, end=end, id=f"web-{order_id.removeprefix('n')}")

    async def test_is_late_once_it_has_passed_unless_the_order_is_final(self, orders: AsyncEngine) -> None:
        await change(orders, "UPDATE fulfilments SET ship_by = :at", at=NOW + timedelta(days=9))
        await self.promised(orders, n536365=NOW - timedelta(hours=1), n990017=NOW + timedelta(hours=1))
        assert await ids(orders, late=True) == {FIRST}
        assert await ids(orders, late=False) == {SECOND, THIRD}
        assert await ids(orders, late=True, sort="promise") == {FIRST}
        await change(orders, "UPDATE orders SET status = 'delivered'")
        assert await ids(orders, late=True) == set()

    async def test_is_late_if_what_a_node_has_not_sent_would_arrive_after_it(self, orders: AsyncEngine) -> None:
        await self.promised(orders, n536365=NOW + timedelta(days=1), n990017=NOW + timedelta(days=1))
        late = "UPDATE fulfilments SET ship_by = :ship, promise_latest = :end"
        await change(orders, late, ship=NOW - timedelta(hours=3), end=NOW + timedelta(days=1, hours=-2))
        assert await ids(orders, late=True) == {FIRST}, "the other has left its node"
        await change(orders, late, ship=NOW - timedelta(hours=1), end=NOW + timedelta(days=1, hours=-2))
        assert await ids(orders, late=True) == set(), "there is time enough"

    async def test_ends_on_a_day(self, orders: AsyncEngine) -> None:
        day = datetime(2026, 3, 20, tzinfo=UTC)
        await self.promised(orders, n536365=day, n990017=day + timedelta(days=1, seconds=-1))
        for sort in ("captured", "promise"):
            assert await ids(orders, promise_from="today", promise_to="today", sort=sort) == {FIRST, THIRD}
            assert await ids(orders, promise_from="today", sort=sort) == {FIRST, THIRD}, "the other has no promise"
            assert await ids(orders, promise_to="today-1", sort=sort) == set()


class TestStuck:
    async def silent(self, engine: AsyncEngine, order_id: str, hours: float) -> None:
        await change(engine, "UPDATE orders SET captured_at = :at", at=NOW - timedelta(days=9))
        await change(
            engine,
            """
            INSERT INTO timeline (order_id, kind, business_key, actor, data, occurred_at, recorded_at)
            VALUES (:id, 'accepted', 'said', 'x', '{}', :at, :at)
            """,
            id=order_id,
            at=NOW - timedelta(hours=hours),
        )

    async def test_an_order_for_which_an_exception_is_open(self, orders: AsyncEngine) -> None:
        async with orders.begin() as connection:
            await connection.execute(text("UPDATE orders SET captured_at = :at"), {"at": NOW})
            await exceptions.open_(connection, FIRST, ExceptionKind.MESSAGE_GIVEN_UP, "key", "no")
        assert await ids(orders, stuck=True) == {FIRST}
        assert await ids(orders, stuck=False) == {SECOND, THIRD}
        await change(orders, "UPDATE exceptions SET status = 'closed', closed_at = now()")
        assert await ids(orders, stuck=True) == set()

    async def test_an_order_to_which_nothing_happened_for_long(self, orders: AsyncEngine) -> None:
        await self.silent(orders, FIRST, 47)
        await self.silent(orders, SECOND, 49)
        assert await ids(orders, stuck=True) == {SECOND, THIRD}
        assert await ids(orders, stuck=False) == {FIRST}
        assert (
            await ids(orders, stuck=True, stuck_hours=46) == await ids(orders, stuck_hours=46) == {FIRST, SECOND, THIRD}
        )

    async def test_what_a_carrier_reports_is_something_that_happens(self, orders: AsyncEngine) -> None:
        await self.silent(orders, FIRST, 1)
        await self.silent(orders, SECOND, 1)
        assert await ids(orders, stuck=True) == {THIRD}
        scan = """
            INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, occurred_at, recorded_at)
            VALUES ('northline', 'e', 'NL771316016GB', 'in_transit', :at, :at)
        """
        await change(orders, scan, at=NOW - timedelta(hours=2))
        assert await ids(orders, stuck=True) == set()

    async def test_not_what_waits_for_stock_or_is_final(self, orders: AsyncEngine) -> None:
        await self.silent(orders, FIRST, 99)
        await change(orders, "UPDATE orders SET status = 'backordered' WHERE id = :id", id=FIRST)
        await change(orders, "UPDATE orders SET status = 'delivered' WHERE id = :id", id=SECOND)
        assert await ids(orders, stuck=True) == {THIRD}


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "seen"),
        [
            (Limits.of(channels=["marketplace"]), {SECOND}),
            (Limits.of(nodes=["wh-london"]), {SECOND, THIRD}),
            (Limits.of(channels=["web"], nodes=["wh-london"]), {THIRD}),
            (Limits.of(channels=[]), set()),
            (Limits.of(nodes=[]), set()),
        ],
    )
    async def test_nothing_else_is_found_by_whatever_is_asked(
        self, orders: AsyncEngine, limits: Limits, seen: set[str]
    ) -> None:
        asked: Iterable[dict[str, Any]] = (
            {}, {"q": "ada@customer.example"}, {"q": "07700 900123"}, {"q": "NL771316016GB"}, {"q": "7KQ2MX"},
            {"q": "web-536365-F1"}, {"q": "A"}, {"q": "yo1"}, {"sku": "A"}, {"tracking": "771316016"},
            {"postal_code": "YO1"}, {"tag": ("gift",)}, {"customer": "C1"}, {"channel": ("web",)},
            {"node": ("dc-leeds",)}, {"late": True}, {"stuck": True}, {"sort": "placed"}, {"sort": "promise"},
            {"status": ("accepted",)},
        )  # fmt: skip
        for wanted in asked:
            everything, own = await ids(orders, **wanted), await ids(orders, limits, **wanted)
            assert own == everything & seen, wanted


class TestPages:
    @pytest.mark.parametrize("sort", ["captured", "placed", "promise"])
    @pytest.mark.parametrize("wanted", [{}, {"q": "york"}, {"status": ("accepted", "backordered")}, {"waiting": False}])
    @pytest.mark.parametrize("newest", [2, 4000])
    async def test_every_order_stands_on_one_page_in_its_place(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch, sort: str, wanted: dict[str, Any], newest: int
    ) -> None:
        monkeypatch.setattr(search, "NEWEST", newest)
        for number in range(7):
            await place(world, small.order(f"n{number}", A=1))
        await change(
            world,
            """
            UPDATE orders SET placed_at = captured_at - make_interval(hours => ascii(substr(external_id, 2)) % 3),
                promise_latest = CASE WHEN external_id < 'n5' THEN captured_at + interval '1 day' END,
                promise_earliest = CASE WHEN external_id < 'n5' THEN captured_at END
            """,
        )
        asked = OrderFilter(sort=sort, **wanted)
        seen: list[Position] = []
        while found := await page(world, asked, after=seen[-1] if seen else None, limit=3):
            seen += found
        assert len({order_id for _, order_id in seen}) == len(seen) == 7
        assert seen == sorted(seen, reverse=sort != "promise")
