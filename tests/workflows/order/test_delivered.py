"""The plain life of an order, and what it costs the engine."""

from collections import Counter

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from dom.orders.status import OrderStatus
from store import stock
from tests.worlds import small
from tests.worlds.running import House
from tests.worlds.waiting import until_booked

MOST_EVENTS = 45
MOST_REMOTE_ACTIVITIES = 1
MOST_SIGNALS = 5


class TestOneLineOrder:
    async def test_is_delivered_within_its_budget(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("budget", A=2)
            answer = await house.send(order)
            assert answer.status is OrderStatus.ACCEPTED
            assert answer.promise is not None
            await house.node(order, "accept", "pick", "pack")
            await until_booked(world, order)
            await house.node(order, "hand-over")
            await house.carrier_says(order, "delivered")
            result = await house.handle(order).result()
            assert result.status is OrderStatus.DELIVERED
            await house.told()
            history = [EventType.Name(event.event_type) async for event in house.handle(order).fetch_history_events()]
            kinds = Counter(history)
            assert len(history) <= MOST_EVENTS
            assert kinds["EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"] <= MOST_REMOTE_ACTIVITIES
            assert kinds["EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED"] <= MOST_SIGNALS
            assert [message.subject for message in house.mail.sent]
            assert len(house.mail.sent) == len({message.key for message in house.mail.sent}) == 3
            assert sum(house.carrier.booked.values()) == 1
            async with world.connect() as connection:
                totals, differences = await stock.check(connection)
            assert totals["reserved"] == totals["ledger_reserved"] == totals["active_reservations"] == 0
            assert not differences


class TestOrderThatIsCollected:
    async def test_no_mail_speaks_of_a_delivery(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("collected", A=1, shipping_method="pickup", pickup_node="st-york")
            await house.send(order)
            await house.node(order, "accept", "pick", "pack", "collect")
            assert (await house.handle(order).result()).status is OrderStatus.DELIVERED
            await house.told()
            confirmed = house.mail.sent[0].text
            assert "You can collect it from St York" in confirmed
            assert not [message.text for message in house.mail.sent if "deliver it" in message.text]
