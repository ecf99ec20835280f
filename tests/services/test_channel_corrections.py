"""What channels send wrongly is corrected at a message's turn, written down, and proposed where it is not sure."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.faults import FaultCode
from dom.channels.mapping.reading import check
from dom.orders.intake import OrderRequest
from dom.shared.errors import Conflict, InvalidInput, UnknownSku
from jobs.watching_quarantine import WatchingQuarantine
from services import channel_corrections, channel_inbox, channel_intake, channel_quarantine, channel_rules
from services.capture import capture
from services.channel_intake import OrderCalls
from services.channel_quarantine import FaultAlike
from services.channel_rules import RuleAsked
from services.database import Database
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.channel_messages import SHOP, open_shop, send, told
from tests.worlds.shops import not_connected

FOUND = "SELECT field, before, after, rule, status FROM channel_corrections ORDER BY message_id, position"


class Orders:
    """Takes orders whose SKUs it knows; writes none."""

    def __init__(self, *skus: str) -> None:
        self.skus = skus or ("A", "B")
        self.captured: list[OrderRequest] = []

    async def capture(self, request: OrderRequest) -> Any:
        for index, line in enumerate(request.lines):
            if line.sku not in self.skus:
                raise UnknownSku(f"there is no SKU {line.sku}", field=f"lines[{index}].sku")
        self.captured.append(request)
        return _Answer()

    @property
    def calls(self) -> OrderCalls:
        async def cancel(*_: Any) -> Any:
            raise AssertionError("nothing is cancelled here")

        return OrderCalls(capture=self.capture, cancel=cancel)


class _Answer:
    order_id = None


def dirty(number: str, /, sku: str = "A", **address: Any) -> dict[str, Any]:
    """What a shop sends of an order, with parts of its address as given."""
    message = told(number, skus={sku: 1})
    message["shipping_address"].update(address)
    return message


async def taken(engine: AsyncEngine, orders: Orders, message: Mapping[str, Any], delivery: str = "") -> str:
    """What becomes of a message at its turn."""
    kept = await send(engine, message, delivery)
    return await turn(engine, orders, str(message["name"]).strip("#"), kept.id)


async def turn(engine: AsyncEngine, orders: Orders, number: str, message_id: int) -> str:
    await channel_intake.take_in(Database(engine=engine), not_connected(engine), orders.calls, "web", number)
    return str(await one(engine, f"SELECT outcome FROM channel_messages WHERE id = {message_id}"))  # noqa: S608


class TestATurn:
    async def test_corrects_and_writes_down_what_it_changed(self, world: AsyncEngine) -> None:
        await open_shop(world)
        orders = Orders()
        message = dirty(
            "c-1", "a", country_code="england", zip="ls14ap", city="Leeds\u200b", address1="12 Mill Lane 😀"
        )
        assert await taken(world, orders, message) == "captured"
        ship_to = orders.captured[0].ship_to
        assert (ship_to.country, ship_to.postal_code, ship_to.city, ship_to.lines) == (
            "GB", "LS1 4AP", "Leeds", ("12 Mill Lane",)
        )  # fmt: skip
        assert orders.captured[0].lines[0].sku == "A"
        found = await rows(world, FOUND)
        assert ("ship_to.country", "england", "GB", "country", "applied") in found
        assert ("lines[0].sku", "a", "A", "sku-form", "applied") in found
        assert {status for *_, status in found} == {"applied"}

    async def test_leaves_a_clean_message_alone(self, world: AsyncEngine) -> None:
        await open_shop(world)
        assert await taken(world, Orders(), dirty("c-2")) == "captured"
        assert await rows(world, FOUND) == []

    async def test_that_is_done_again_writes_nothing_twice(self, world: AsyncEngine) -> None:
        await open_shop(world)
        orders = Orders()
        assert await taken(world, orders, dirty("c-3", "NOBODYS", country_code="england")) == "quarantined"
        before = await rows(world, f"{FOUND}, id")
        await channel_inbox.replay(Database(engine=world), 1, {})
        assert await turn(world, orders, "c-3", 1) == "quarantined"
        assert await rows(world, f"{FOUND}, id") == before
        await channel_inbox.replay(Database(engine=world), 1, {"lines[0].sku": "B"})
        assert await turn(world, orders, "c-3", 1) == "captured"
        assert orders.captured[0].lines[0].sku == "B"

    async def test_a_person_s_repair_wins(self, world: AsyncEngine) -> None:
        await open_shop(world)
        orders = Orders()
        await taken(world, orders, dirty("c-4", "NOBODYS", country_code="england"))
        await channel_inbox.replay(
            Database(engine=world), 1, {"lines[0].sku": "A", "ship_to.country": "IM", "ship_to.postal_code": "IM1 1AA"}
        )
        assert await turn(world, orders, "c-4", 1) == "captured"
        assert orders.captured[0].ship_to.country == "IM"
        assert await rows(world, FOUND) == []


async def corrections(engine: AsyncEngine) -> dict[str, int]:
    """Numbers of corrections by field."""
    return {str(field): int(found) for field, found in await rows(engine, "SELECT field, id FROM channel_corrections")}


class TestAProposal:
    async def test_that_is_accepted_is_a_repair(self, world: AsyncEngine) -> None:
        await open_shop(world)
        orders = Orders("RARE")
        assert await taken(world, orders, dirty("p-1", "RARES")) == "quarantined"
        ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
        assert [(each["field"], each["value"], each["severity"]) for each in faults] == [
            ("lines[0].sku", "RARES", "error")
        ]
        assert [each["value"] for each in faults[0]["proposals"]] == ["RARE"]
        database = Database(engine=world)
        number = (await corrections(world))["lines[0].sku"]
        for _ in range(2):
            await channel_corrections.accept(database, 1, number, "kim")
        assert await one(world, "SELECT replays FROM channel_messages") == 1
        assert await turn(world, orders, "p-1", 1) == "captured"
        assert orders.captured[0].lines[0].sku == "RARE"
        assert await rows(world, "SELECT status, decided_by FROM channel_corrections") == [("accepted", "kim")]

    async def test_that_is_rejected_is_made_no_more(self, world: AsyncEngine) -> None:
        await open_shop(world)
        orders = Orders("RARE")
        await taken(world, orders, dirty("p-2", "RARES", country_code="england"))
        database, found = Database(engine=world), await corrections(world)
        for number in found.values():
            await channel_corrections.reject(database, 1, number, "kim")
        with pytest.raises(Conflict):
            await channel_corrections.accept(database, 1, found["lines[0].sku"], "kim")
        await channel_inbox.replay(database, 1, {})
        assert await turn(world, orders, "p-2", 1) == "quarantined"
        ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
        assert {each["field"] for each in faults} == {"ship_to.country"}
        assert {status for (status,) in await rows(world, "SELECT status FROM channel_corrections")} == {"rejected"}

    async def test_of_what_can_be_read_is_a_warning(self, world: AsyncEngine) -> None:
        await open_shop(world)
        message = {**dirty("p-3"), "email": "ada@gmial.com"}
        assert await taken(world, Orders(), message) == "captured"
        ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
        assert [(each["code"], each["severity"]) for each in faults] == [("doubtful", "warning")]
        number = (await corrections(world))["customer.email"]
        with pytest.raises(Conflict):
            await channel_corrections.accept(Database(engine=world), 1, number, "kim")

    async def test_and_what_no_rule_can_mend_is_a_warning_too(self, world: AsyncEngine) -> None:
        await open_shop(world)
        message = {**dirty("p-5"), "total_price": "9.99"}
        assert await taken(world, Orders(), message) == "captured"
        ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
        assert [(each["field"], each["severity"], each["value"]) for each in faults] == [("total", "warning", "999")]

    async def test_by_what_the_customer_ordered_before(self, world: AsyncEngine) -> None:
        await open_shop(world)
        async with world.begin() as connection:
            await small.open_channel(connection)
        await capture(Database(engine=world, replaying=True), small.order("former", RARE=1, customer={**CUSTOMER}))
        await taken(world, Orders("A"), dirty("p-4", "RARS"))
        found = await rows(world, "SELECT after, rule FROM channel_corrections ORDER BY position")
        assert found == [("RARE", "sku-history")]


CUSTOMER = {"id": "77", "name": "Ada Lovelace", "email": "ada@customer.example"}


class TestThresholds:
    async def test_are_the_mapping_s_by_rule(self, world: AsyncEngine) -> None:
        await open_shop(world, SHOP.read_text() + "corrections: {rules: {country: never}}\n")
        assert await taken(world, Orders(), dirty("t-1", country_code="england")) == "quarantined"
        ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
        assert [each["value"] for each in faults[0]["proposals"]] == ["GB"]
        assert check(SHOP.read_text() + "corrections: {rules: {countries: 999}}\n").mapping is None


class TestRulesOfRepairs:
    async def test_act_only_after_they_were_rehearsed(self, world: AsyncEngine) -> None:
        await open_shop(world)
        database, orders = Database(engine=world), Orders()
        for number in ("r-1", "r-2"):
            await taken(world, orders, dirty(number, "OLDCODE"), number)
        await channel_inbox.replay(database, 1, {"lines[0].sku": "A"})
        assert await turn(world, orders, "r-1", 1) == "captured"
        async with world.begin() as connection:
            rule = await channel_rules.make(
                connection, "web", RuleAsked("lines[0].sku", message_id=1, comment="renamed"), "kim"
            )
            assert (rule["field"], rule["before"], rule["after"]) == ("lines[*].sku", "OLDCODE", "A")
            with pytest.raises(Conflict):
                await channel_rules.publish(connection, "web", rule["id"], "kim", despite_contradictions=False)
        tried = await channel_rules.rehearse(database, "web", rule["id"], "kim")
        assert tried["rehearsal"]["counts"] == {"agrees": 1, "mends": 1}
        assert await taken(world, orders, dirty("r-3", "OLDCODE"), "r-3") == "quarantined"
        async with world.begin() as connection:
            await channel_rules.publish(connection, "web", rule["id"], "kim", despite_contradictions=False)
        assert await taken(world, orders, dirty("r-4", "OLDCODE"), "r-4") == "captured"
        assert f"learned:{rule['id']}" in {
            name for (name,) in await rows(world, "SELECT rule FROM channel_corrections")
        }
        async with world.begin() as connection:
            await channel_rules.retire(connection, "web", rule["id"], "kim")
        assert await taken(world, orders, dirty("r-5", "OLDCODE"), "r-5") == "quarantined"

    async def test_that_contradict_what_was_taken_in_need_a_word(self, world: AsyncEngine) -> None:
        await open_shop(world)
        database = Database(engine=world)
        await taken(world, Orders(), dirty("r-6", "B"), "r-6")
        async with world.begin() as connection:
            asked = RuleAsked("lines[*].sku", "B", "A", has_after=True)
            rule = await channel_rules.make(connection, "web", asked, "kim")
        tried = await channel_rules.rehearse(database, "web", rule["id"], "kim")
        assert tried["rehearsal"]["counts"] == {"contradicts": 1}
        async with world.begin() as connection:
            with pytest.raises(Conflict):
                await channel_rules.publish(connection, "web", rule["id"], "kim", despite_contradictions=False)
            live = await channel_rules.publish(connection, "web", rule["id"], "kim", despite_contradictions=True)
        assert live["status"] == "live"

    @pytest.mark.parametrize("field", ["number", "lines[*].line_id", "nobody", "ship_to.lines"])
    async def test_fill_no_field_that_tells_orders_apart(self, world: AsyncEngine, field: str) -> None:
        await open_shop(world)
        async with world.begin() as connection:
            with pytest.raises(InvalidInput):
                await channel_rules.make(connection, "web", RuleAsked(field, "x", "y", has_after=True), "kim")


class TestQuarantine:
    async def test_messages_alike_are_replayed_together(self, world: AsyncEngine) -> None:
        await open_shop(world)
        database, orders = Database(engine=world), Orders()
        for number in ("q-1", "q-2", "q-3"):
            await taken(world, orders, dirty(number, "OTHER" if number == "q-2" else "GONE"), number)
        fault = FaultAlike("web", FaultCode.UNKNOWN_SKU, "lines[*].sku", "GONE")
        first = await channel_quarantine.replay_alike(database, fault, ("B",), after=0, limit=1)
        assert ([each.id for each in first.items], first.more) == ([1], True)
        rest = await channel_quarantine.replay_alike(database, fault, ("B",), after=1, limit=10)
        assert ([each.id for each in rest.items], rest.more) == ([3], False)
        assert [await turn(world, orders, number, place) for place, number in ((1, "q-1"), (3, "q-3"))] == [
            "captured"
        ] * 2

    async def test_a_person_is_told_once_when_it_is_too_full_and_no_more_when_it_is_not(
        self, world: AsyncEngine
    ) -> None:
        await open_shop(world, SHOP.read_text() + "corrections: {alert_percent: 40, alert_from: 2}\n")
        database, orders = Database(engine=world), Orders()
        job = WatchingQuarantine(world)
        await taken(world, orders, dirty("w-1", "GONE"), "w-1")
        await job.run()
        assert await rows(world, OPEN) == []
        await taken(world, orders, dirty("w-2"), "w-2")
        for _ in range(2):
            assert await job.run() is False
        assert await rows(world, OPEN) == [("quarantine_share", "open", 1)]
        await channel_inbox.replay(database, 1, {"lines[0].sku": "A"})
        await turn(world, orders, "w-1", 1)
        await job.run()
        assert await rows(world, OPEN) == [("quarantine_share", "closed", 1)]

    async def test_and_when_people_reject_what_a_rule_made(self, world: AsyncEngine) -> None:
        await open_shop(world)
        database, job = Database(engine=world), WatchingQuarantine(world)
        for number in ("j-1", "j-2", "j-3"):
            await taken(world, Orders(), dirty(number, country_code="england"), number)
        for message, (number,) in enumerate(await rows(world, "SELECT id FROM channel_corrections ORDER BY id"), 1):
            assert await rows(world, OPEN) == []
            await channel_corrections.reject(database, message, int(number), "kim")
            await job.run()
        assert await rows(world, OPEN) == [("corrections_rejected", "open", 1)]
        await job.run()
        assert await rows(world, OPEN) == [("corrections_rejected", "open", 1)]


OPEN = "SELECT kind, status, count(*)::int FROM exceptions GROUP BY 1, 2"


HOSTILE = ["\0", "A\0", "\ud800", "\u202e", "x" * 5000, "😀", "'", "%", "NULL"]


@pytest.mark.parametrize("wrong", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_stands_there_the_message_has_an_outcome(world: AsyncEngine, wrong: str) -> None:
    never = "corrections: {rules: {unseen: never, emoji: never, white-space: never, mojibake: never}}\n"
    await open_shop(world, SHOP.read_text() + never)
    message = dirty("h-1", wrong, city=wrong, country_code=wrong, zip=wrong, name=wrong, address1=wrong)
    message["email"], message["note"] = wrong, wrong
    message["customer"] = {"id": wrong, "first_name": wrong, "last_name": wrong}
    message["line_items"][0]["name"] = wrong
    assert await taken(world, Orders(), message) == "quarantined"
    await channel_inbox.replay(Database(engine=world), 1, {})
    assert await turn(world, Orders(), "h-1", 1) == "quarantined"


async def test_every_line_with_an_unknown_sku_is_told_at_once_and_no_other(world: AsyncEngine) -> None:
    await open_shop(world)
    message = told("m-1", skus={"a": 1, "GONE-1": 1, "B": 1, "GONE-2": 1})
    assert await taken(world, Orders(), message) == "quarantined"
    ((faults,),) = await rows(world, "SELECT faults FROM channel_messages")
    assert [(each["field"], each["value"]) for each in faults if each["severity"] == "error"] == [
        ("lines[1].sku", "GONE-1"),
        ("lines[3].sku", "GONE-2"),
    ]
