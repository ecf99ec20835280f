"""Search attributes say after every change what the store says; what that costs is counted."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.order import Order
from dom.shared import ids
from tests.worlds import small
from tests.worlds.outside import RecordingCarrier
from tests.worlds.reoptimising import comes
from tests.worlds.running import House
from tests.worlds.seen import attributes_of, current_details
from tests.worlds.steps import cancel, deliver, ended, pack, ship, status_of, stock_comes, until_order, until_released
from tests.worlds.waiting import until


async def agree(house: House, order: Order, *nodes: str) -> None:
    """The order is found by its status in the store, and by the nodes that have its work."""

    async def they_do() -> bool:
        found = await attributes_of(house.handle(order))
        return (found["DomStatus"], found.get("DomNode") or []) == (await status_of(house, order), list(nodes))

    await until(f"{order.order_id} is found by its status, at {nodes}", they_do)


class TestAnOrderIsFound:
    async def test_at_its_node_before_the_node_begins(self, house: House) -> None:
        order = small.order("unbegun", A=1)
        await house.send(order)
        await agree(house, order, "dc-leeds")

    async def test_while_its_units_go_from_node_to_node(self, house: House) -> None:
        order = small.order("wanders", RARE=2)
        await house.send(order)
        await agree(house, order, "dc-leeds")
        await house.node(order, "reject", reason="broken shelf")
        assert await until_released(house, order, 2) == "wh-london"
        await agree(house, order, "wh-london")
        await house.node(order, "reject", number=2, reason="broken shelf")
        await until_order(house, order, "backordered")
        await agree(house, order)
        await cancel(house, order)
        await ended(house, order)
        await agree(house, order)

    async def test_after_it_waited(self, house: House) -> None:
        order = small.order("waited", NEVER=1)
        await house.send(order)
        await agree(house, order)
        await comes(house.engine, "dc-leeds", "NEVER", 1)
        await stock_comes(house, order, "NEVER")
        await until_released(house, order, 1)
        await agree(house, order, "dc-leeds")

    async def test_after_its_parcel_was_lost(self, house: House) -> None:
        order = small.order("lost-and-found", RARE=2)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "shipped")
        await agree(house, order, "dc-leeds")
        await house.carrier_says(order, "lost")
        await until_released(house, order, 2)
        await agree(house, order, "wh-london")
        await deliver(house, order, 2)
        await ended(house, order)
        await agree(house, order, "wh-london")

    async def test_when_no_carrier_takes_it(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world, carrier=RecordingCarrier(refuses=True)).working() as house:
            order = small.order("nobody-takes-it", B=1)
            await house.send(order)
            await house.node(order, "pack")
            await until_order(house, order, "backordered")
            await agree(house, order)
            await cancel(house, order)
            await ended(house, order)
            await agree(house, order)


class TestItsReport:
    async def test_names_tracking_promise_and_trouble(self, house: House) -> None:
        order = small.order("reported", A=2)
        await house.send(order)
        await pack(house, order)
        parcel = f"{ids.fulfilment_id(order.order_id, 1)}"

        async def says(*words: str) -> bool:
            report = await current_details(house.handle(order))
            return all(each in report for each in words)

        await until("it names the parcel", lambda: says(f"northline T-{parcel}-B1", "promised 2026-03-0", "captured "))
        await house.node(order, "hand-over")
        await until_order(house, order, "shipped")
        await house.carrier_says(order, "lost")
        await until("it names the trouble", lambda: says(f"parcel_lost: {parcel}"))
        assert not await says("|---|")
