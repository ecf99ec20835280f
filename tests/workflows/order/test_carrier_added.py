"""A carrier that is added, or charges otherwise, while workers run is served by them."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.status import OrderStatus
from store.network import reference
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.sourcing import tariff
from tests.worlds.steps import deliver, ended, pack
from tests.worlds.waiting import until_booked

PRICE = "SELECT s.carrier, s.price FROM shipments s JOIN shipment_fulfilments f ON f.shipment_id = s.id WHERE "
PRICE += "starts_with(f.fulfilment_id, :order)"


async def test_without_a_restart(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        before = small.order("by-the-old-carrier", A=2)
        await house.send(before)
        await deliver(house, before)
        await ended(house, before)
        assert set(house.carrier.booked) == {f"{before.order_id}-F1-B1"}
        prices: list[int] = []
        for number, factor in enumerate((0.5, 0.25), 1):
            async with house.engine.begin() as connection:
                await reference.put_tariffs(connection, [tariff("newcomer", factor=factor)])
            order = small.order(f"by-the-new-carrier-{number}", A=2)
            await house.send(order)
            await pack(house, order)
            await until_booked(house.engine, order)
            ((carrier, price),) = await rows(house.engine, PRICE, order=order.order_id)
            assert carrier == "newcomer"
            prices.append(int(str(price)))
            await house.node(order, "hand-over")
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert prices[0] > prices[1], "it charges by the tariff of now"
        assert await one(house.engine, "SELECT count(*) FROM fulfilments WHERE status = 'rejected'") == 0
        assert set(house.carrier.booked) == {f"{before.order_id}-F1-B1"}
