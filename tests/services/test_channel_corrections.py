"""What channels send wrongly is corrected at a message's turn, written down, and proposed where it is not sure."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.intake import OrderRequest
from dom.shared.errors import UnknownSku
from services import channel_inbox, channel_intake
from services.channel_intake import OrderCalls
from services.database import Database
from tests.worlds.books import one, rows
from tests.worlds.channel_messages import open_shop, send, told

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
    await channel_intake.take_in(Database(engine=engine), orders.calls, "web", number)
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
