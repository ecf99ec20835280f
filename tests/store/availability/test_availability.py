"""What may be promised is what a model of a few lines says, whatever balances, rules, holds and inbound there are."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.channels.channel import Channel, ChannelRule
from dom.orders.status import OrderStatus
from dom.shared.errors import UnknownSku
from store import channels
from store.availability import availability
from store.availability.availability import AvailabilityRequest, Found
from store.network import reference
from store.network.reference import ReferenceCache
from store.orders import orders
from store.policy import policies
from tests.worlds import small
from tests.worlds.sourcing import PARIS, node, sku

NOON = datetime.now(UTC).replace(hour=12)
TODAY = NOON.date()
NODES = ("dc-leeds", "wh-london", "st-york")
CODES = ("A", "B", "RARE")
PLACES = [(node_id, code) for code in CODES for node_id in NODES]


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


@dataclass
class Model:
    """What stands in the books, and what may be promised of it, by the formula of the documents."""

    balances: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    lapsed: dict[tuple[str, str], int] = field(default_factory=dict)
    rules: list[ChannelRule] = field(default_factory=list)
    inbound: list[dict[str, object]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    allocated: dict[str, int] = field(default_factory=dict)
    releases: dict[str, date | None] = field(default_factory=dict)

    def free(self, place: tuple[str, str]) -> int:
        row = self.balances.get(place)
        if row is None:
            return 0
        soft = row["reserved_soft"] - self.lapsed.get(place, 0)
        return row["on_hand"] - row["reserved"] - soft - max(row["safety_stock"], row["promise_safety"])

    def allowed(self, place: tuple[str, str], more: int = 0) -> int:
        node_id, code = place
        matching = [r for r in self.rules if r.sku in {None, code} and r.node_id in {None, node_id}]
        rule = max(matching, key=lambda r: (r.sku is not None, r.node_id is not None), default=ChannelRule())
        if rule.excluded:
            return 0
        return max(self.free(place) + more - rule.buffer, 0) * rule.share // 100

    def atp(self, code: str, on: date) -> int:
        release = self.releases.get(code)
        if release is not None and on < release:
            return 0
        stock = gain = 0
        for node_id in NODES:
            due = sum(
                (int(str(line["quantity"])) - int(str(line["received"]))) * int(str(line["confidence"])) // 100
                for line in self.inbound
                if line["node"] == node_id
                and line["sku"] == code
                and self._counts(line)
                and max(day(int(str(line["due"]))), TODAY) <= on
            )
            stock += self.allowed((node_id, code))
            gain += self.allowed((node_id, code), due) - self.allowed((node_id, code))
        claimed = max(self.waiting.get(code, 0) - self.allocated.get(code, 0), 0)
        if release is not None and release > TODAY:
            return max(stock + gain - claimed, 0)
        return stock + max(gain - claimed, 0)

    @staticmethod
    def _counts(line: dict[str, object]) -> bool:
        """What is on its way, be it late; and what is announced for a day to come, if it is not on hand elsewhere."""
        announced = line["status"] == "announced" and line["kind"] != "transfer" and int(str(line["due"])) >= 0
        return line["status"] == "in_transit" or announced

    def now(self, code: str) -> int:
        release = self.releases.get(code)
        return 0 if release is not None and release > TODAY else sum(self.allowed((n, code)) for n in NODES)


def balance(**units: int) -> dict[str, int]:
    """A balance with nothing but these units."""
    return {"on_hand": 0, "reserved": 0, "reserved_soft": 0, "safety_stock": 0, "promise_safety": 0, **units}


units = st.integers(0, 30)
rule = st.builds(
    ChannelRule,
    sku=st.sampled_from([None, *CODES]),
    node_id=st.sampled_from([None, *NODES]),
    buffer=st.integers(0, 8),
    share=st.integers(0, 100),
    excluded=st.sampled_from([False, False, False, True]),
)


@st.composite
def models(draw: st.DrawFn) -> Model:
    model = Model()
    for place in draw(st.lists(st.sampled_from(PLACES), unique=True)):
        reserved, soft = draw(units), draw(units)
        model.balances[place] = {
            "on_hand": reserved + soft + draw(units),
            "reserved": reserved,
            "reserved_soft": soft,
            "safety_stock": draw(st.integers(0, 6)),
            "promise_safety": draw(st.integers(0, 6)),
        }
        model.lapsed[place] = draw(st.integers(0, soft))
    model.rules = draw(st.lists(rule, max_size=6, unique_by=lambda r: (r.sku, r.node_id)))
    for _ in range(draw(st.integers(0, 5))):
        kind, quantity = draw(st.sampled_from(["purchase_order", "transfer", "return"])), draw(st.integers(1, 30))
        model.inbound.append(
            {
                "kind": kind,
                "status": draw(st.sampled_from(["announced", "in_transit", "in_transit", "received", "cancelled"])),
                "node": draw(st.sampled_from(NODES)),
                "sku": draw(st.sampled_from(CODES)),
                "due": draw(st.integers(-2, 4)),
                "confidence": draw(st.sampled_from([0, 33, 50, 100])),
                "quantity": quantity,
                "received": draw(st.integers(0, quantity)),
            }
        )
    model.waiting = draw(st.dictionaries(st.sampled_from(CODES), st.integers(1, 20)))
    for code, quantity in model.waiting.items():
        # What is set allocated is among the live soft units of a balance.
        live = sum(
            model.balances.get((n, code), {}).get("reserved_soft", 0) - model.lapsed.get((n, code), 0)
            for n in NODES[:1]
        )
        model.allocated[code] = draw(st.integers(0, min(quantity, live)))
    model.releases = draw(st.dictionaries(st.sampled_from(CODES), st.none() | st.integers(-2, 4).map(day)))
    return model


@pytest.fixture
async def network(schema: AsyncEngine) -> AsyncEngine:
    """The nodes and SKUs of the small world, without stock, and a channel."""
    async with schema.begin() as connection:
        for each in small.NODES:
            await reference.put_node(connection, each)
        await reference.put_skus(connection, small.SKUS)
        await policies.publish_policy(connection, small.POLICY, "test")
        await channels.put(connection, Channel(id="web", name="Web"))
    return schema


async def write(connection: AsyncConnection, model: Model) -> None:
    await reference.put_skus(connection, [sku(code, release_on=model.releases.get(code)) for code in CODES])
    backorders: dict[str, str] = {}
    for (node_id, code), row in model.balances.items():
        await connection.execute(
            text("""
            INSERT INTO stock (node_id, sku, on_hand, reserved, reserved_soft, safety_stock, promise_safety, damaged)
            VALUES (:node, :sku, :on_hand, :reserved, :reserved_soft, :safety_stock, :promise_safety, 7)
            """),
            {"node": node_id, "sku": code, **row},
        )
        lapsed = model.lapsed[node_id, code]
        allocated = model.allocated.get(code, 0) if node_id == NODES[0] else 0
        live = row["reserved_soft"] - lapsed - allocated
        await hold(connection, f"lapsed/{node_id}/{code}", node_id, code, lapsed, "-1 minute")
        await hold(connection, f"cart/{node_id}/{code}", node_id, code, live, "1 hour")
        await hold(connection, f"waiting/web-{code}", node_id, code, allocated, "1 hour")
        if allocated:
            backorders[f"waiting/web-{code}"] = f"web-{code}"
    for number, line in enumerate(model.inbound):
        await announce(connection, f"in-{number}", line)
    for code, quantity in model.waiting.items():
        order = small.order(code, **{code: quantity})
        await orders.capture(connection, order)
        await orders.write_lines(
            connection, order, backordered={"1": quantity}, status=OrderStatus.BACKORDERED, promise=None
        )
    for soft_id, order_id in backorders.items():
        await connection.execute(
            text("UPDATE soft_reservations SET backorder_of = :order_id WHERE id = :id"),
            {"order_id": order_id, "id": soft_id},
        )
    await channels.replace_rules(connection, "web", model.rules)


async def hold(connection: AsyncConnection, soft_id: str, node_id: str, code: str, quantity: int, until: str) -> None:
    if quantity == 0:
        return
    at = {"id": soft_id, "until": until, "node": node_id, "sku": code, "quantity": quantity}
    await connection.execute(
        text("""
        WITH soft AS (
            INSERT INTO soft_reservations (id, channel, owner, reason, document, expires_at)
            VALUES (:id, 'web', :id, 'test', '{}', now() + CAST(:until AS interval)))
        INSERT INTO reservations (kind, status, node_id, sku, quantity, soft_id, expires_at)
        VALUES ('soft', 'active', :node, :sku, :quantity, :id, now() + CAST(:until AS interval))
        """),
        at,
    )


async def announce(connection: AsyncConnection, name: str, line: dict[str, object]) -> None:
    origin = next(n for n in NODES if n != line["node"]) if line["kind"] == "transfer" else None
    await connection.execute(
        text("""
        WITH head AS (
            INSERT INTO inbound (reference, kind, status, origin_node, node_id, due_on, confidence, actor)
            VALUES (:name, :kind, :status, :origin, :node, :due_on, :confidence, 'test'))
        INSERT INTO inbound_lines (reference, sku, quantity, received) VALUES (:name, :sku, :quantity, :received)
        """),
        {**line, "name": name, "origin": origin, "due_on": day(int(str(line["due"])))},
    )


async def look(engine: AsyncEngine | AsyncConnection, *codes: str, **more: object) -> dict[str, Found]:
    asked = AvailabilityRequest(codes, NOON, **{"channel": "web", **more})  # type: ignore[arg-type]
    if isinstance(engine, AsyncConnection):
        answer = await availability.look(engine, ReferenceCache(), asked)
    else:
        async with engine.connect() as connection:
            answer = await availability.look(connection, ReferenceCache(), asked)
    return {found.sku.id: found for found in answer.found}


class TestAgainstTheModel:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(model=models())
    async def test_the_answer_is_what_the_model_says(self, network: AsyncEngine, model: Model) -> None:
        async with network.connect() as connection:
            await write(connection, model)
            await self.compare(connection, model)
            await connection.rollback()

    async def compare(self, connection: AsyncConnection, model: Model) -> None:
        summed = await look(connection, *CODES)
        by_node = await look(connection, *CODES, by_node=True)
        for code in CODES:
            found = summed[code]
            assert found.outlook.now == model.now(code)
            assert found.waiting == model.waiting.get(code, 0)
            for ahead in range(6):
                assert found.outlook.on(day(ahead), TODAY) == model.atp(code, day(ahead)), (code, ahead)
            assert by_node[code].outlook == found.outlook
            shown = {row["node_id"]: row["available"] for row in by_node[code].balances}
            assert sum(shown.values()) == found.outlook.now
            assert set(shown) == {n for n, c in model.balances if c == code}
        self.check_later(model, summed)

    def check_later(self, model: Model, found: dict[str, Found]) -> None:
        for code in CODES:
            said = {each.date: each.quantity for each in found[code].outlook.later(TODAY)}
            quantity = model.now(code)
            for ahead in range(6):
                quantity = said.get(day(ahead), quantity)
                assert quantity == model.atp(code, day(ahead)), (code, ahead)


class TestLook:
    async def test_without_a_channel_it_is_what_is_free_to_promise(self, network: AsyncEngine) -> None:
        model = Model(
            balances={("dc-leeds", "A"): balance(on_hand=10, reserved=2, safety_stock=1, promise_safety=3)},
            lapsed={("dc-leeds", "A"): 0},
            rules=[ChannelRule(buffer=4)],
        )
        async with network.begin() as connection:
            await write(connection, model)
        assert (await look(network, "A"))["A"].outlook.now == 1
        assert (await look(network, "A", channel=None))["A"].outlook.now == 5
        assert (await look(network, "A", channel="never_heard_of"))["A"].outlook.now == 5

    async def test_a_node_that_is_switched_off_promises_nothing(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await reference.put_node(connection, small.NODES[0].model_copy(update={"active": False}))
        found = (await look(world, "A", by_node=True))["A"]
        assert found.outlook.now == 55
        assert [row["node_id"] for row in found.balances] == ["st-york", "wh-london"]

    async def test_the_answer_can_be_narrowed_to_nodes(self, world: AsyncEngine) -> None:
        found = (await look(world, "A", nodes=frozenset({"st-york"})))["A"]
        assert found.outlook.now == 5
        assert (await look(world, "A", nodes=frozenset({"nowhere"})))["A"].outlook.now == 0

    async def test_a_sku_nobody_stocks_is_out_and_one_nobody_knows_is_an_error(self, world: AsyncEngine) -> None:
        assert (await look(world, "NEVER"))["NEVER"].outlook.now == 0
        with pytest.raises(UnknownSku) as refused:
            await look(world, "A", "X", "NEVER", "Y")
        assert (refused.value.field, refused.value.data) == ("sku[1]", {"skus": ["X", "Y"]})

    async def test_release_counts_by_the_node_s_own_calendar(self, schema: AsyncEngine) -> None:
        tokyo = node("tokyo", PARIS, "FR", time_zone="Asia/Tokyo")
        paris = node("paris", PARIS, "FR")
        async with schema.begin() as connection:
            for each in (tokyo, paris):
                await reference.put_node(connection, each)
            await reference.put_skus(connection, [sku("NEW", release_on=date(2026, 3, 3))])
            await policies.publish_policy(connection, small.POLICY, "test")
            await connection.execute(
                text("INSERT INTO stock (node_id, sku, on_hand) VALUES ('tokyo', 'NEW', 3), ('paris', 'NEW', 4)")
            )
            late = AvailabilityRequest(("NEW",), datetime(2026, 3, 2, 16, tzinfo=UTC), by_node=True)
            answer = await availability.look(connection, ReferenceCache(), late)
        found = answer.found[0]
        assert {row["node_id"]: row["available"] for row in found.balances} == {"tokyo": 3, "paris": 0}
        assert [(each.date, each.quantity) for each in found.outlook.later(date(2026, 3, 2))] == [(date(2026, 3, 3), 7)]

    async def test_a_thousand_skus_are_read_by_index(self, world: AsyncEngine) -> None:
        codes = [f"S{number}" for number in range(5000)]
        async with world.begin() as connection:
            await reference.put_skus(connection, [sku(code) for code in codes])
            await connection.execute(
                text("""
                INSERT INTO stock (node_id, sku, on_hand) SELECT n.id, s, 3 FROM nodes n, unnest(CAST(:s AS text[])) s
                """),
                {"s": codes},
            )
            await connection.execute(text("ANALYZE"))
        seen: defaultdict[str, int] = defaultdict(int)
        async with world.connect() as connection:
            before = await scans(connection)
            answer = await availability.look(
                connection, ReferenceCache(), AvailabilityRequest(codes[::5], NOON, channel="web")
            )
            assert all(found.outlook.now == 12 for found in answer.found)
            assert len(answer.found) == 1000
            after = await scans(connection)
        for table, count in after.items():
            seen[table] = count - before.get(table, 0)
        assert seen["stock"] == 0
        assert seen["order_lines"] == 0


async def scans(connection: AsyncConnection) -> dict[str, int]:
    """Sequential scans by table, as this connection has seen them."""
    found = await connection.execute(text("SELECT relname, seq_scan FROM pg_stat_xact_user_tables"))
    return {name: count or 0 for name, count in found}
