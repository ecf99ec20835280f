"""What staff does from the Temporal UI or CLI, by signals; what is refused is logged, and the order goes on."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.calls import StepLine
from dom.orders.commands import SourceWorkAgain
from dom.orders.notes import Attachment
from dom.orders.staff_calls import (
    FulfilmentCall,
    KeepCall,
    MoveCall,
    NoteCall,
    PrioritiseCall,
    ResendCall,
    SourceAgainCall,
    SplitCall,
)
from dom.orders.status import OrderStatus
from services import collecting
from services.change_orders import Writing
from services.database import Database
from services.sourcing_work_again import source_work_again
from tests.worlds import small, to_store
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended, ship, stock_comes, until_released
from tests.worlds.waiting import until as until_true
from tests.worlds.waiting import until_status
from workflows.messages import NodeReport, OrderNews
from workflows.order.process import OrderWorkflow


async def test_notes_and_messages_sent_again(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("by-staff", A=1)
        await house.send(order)
        await house.told()
        handle = house.handle(order)
        note = NoteCall(text="look twice", links=(Attachment(url="https://files.example/1"),), actor="kim")
        await handle.signal(OrderWorkflow.note_requested, note)
        await handle.signal("note_requested", {"text": " "})  # no note
        message = int(str(await one(world, "SELECT id FROM outbox WHERE message_key = 'accepted'")))
        await handle.signal(OrderWorkflow.resend_requested, ResendCall(message_id=message, reason="asked"))
        await handle.signal(OrderWorkflow.resend_requested, ResendCall(message_id=4711))  # there is none
        await handle.signal(OrderWorkflow.prioritise_requested, PrioritiseCall(priority=4, actor="kim"))
        await handle.signal("prioritise_requested", {"priority": 1001})  # no priority
        await deliver(house, order)
        await ended(house, order)
        assert await rows(world, "SELECT priority FROM orders") == [(4,)]
        keys = [message.key.split("/")[1] for message in house.mail.sent]
    assert keys[:2] == ["accepted", "accepted:resent:1"]
    said = await rows(
        world, "SELECT actor, reason, data->>'text' FROM timeline WHERE kind IN ('noted', 'message_resent')"
    )
    assert said == [("kim", "", "look twice"), ("system:temporal", "asked", None)]


async def test_what_becomes_of_parcels(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("marked", A=1)
        await house.send(order)
        await ship(house, order)
        handle, first, second = house.handle(order), f"{order.order_id}-F1", f"{order.order_id}-F2"
        await handle.signal(OrderWorkflow.reship_requested, FulfilmentCall(fulfilment_id=first))  # nothing came back
        await handle.signal(OrderWorkflow.lost_requested, FulfilmentCall(fulfilment_id=first, reason="fell off"))
        await ship(house, order, 2)
        await handle.signal(OrderWorkflow.delivered_requested, FulfilmentCall(fulfilment_id=second, actor="kim"))
        await ended(house, order)
    ends = ["fulfilment_lost", "fulfilment_delivered"]
    told = "SELECT kind, actor, reason FROM timeline WHERE kind = ANY(:ends) ORDER BY id"
    assert await rows(world, told, ends=ends) == [
        ("fulfilment_lost", "system:temporal", "fell off"),
        ("fulfilment_delivered", "kim", ""),
    ]


async def test_work_is_moved(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("moved", A=1)
        await house.send(order)
        handle, first = house.handle(order), f"{order.order_id}-F1"
        nowhere = MoveCall(fulfilment_id=first, node_id="dropship-lille")  # it holds nothing of it
        await handle.signal(OrderWorkflow.move_requested, nowhere)
        await handle.signal(OrderWorkflow.move_requested, MoveCall(fulfilment_id=first, node_id="wh-london"))
        await deliver(house, order, 2)
        await ended(house, order)
    assert await rows(world, "SELECT node_id, status FROM fulfilments ORDER BY id") == [
        ("dc-leeds", "recalled"),
        ("wh-london", "delivered"),
    ]


async def test_work_is_sourced_again(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("sourced-anew", A=1)
        await house.send(order)
        handle, first = house.handle(order), f"{order.order_id}-F1"
        call = SourceAgainCall(fulfilment_id=first, without_node=True, reason="the conveyor stands still")
        for _ in range(2):  # it is recalled by then
            await handle.signal(OrderWorkflow.source_again_requested, call)
        await deliver(house, order, 2)
        await ended(house, order)
    assert await rows(world, "SELECT node_id, status FROM fulfilments ORDER BY id") == [
        ("dc-leeds", "recalled"),
        ("wh-london", "delivered"),
    ]
    told = "SELECT kind, actor FROM timeline WHERE kind LIKE 'sourced%' ORDER BY id"
    assert await rows(world, told) == [("sourced_again", "system:temporal"), ("sourced", "system:ofl")]


async def test_units_that_find_no_node_wait_for_stock(temporal_client: Client, world: AsyncEngine) -> None:
    """What the store sourced under a number that the process has not used yet does not stop it from sourcing."""
    async with House(temporal_client, world).working() as house:
        order = small.order("no-other", B=3)
        await house.send(order)
        handle, first = house.handle(order), f"{order.order_id}-F1"
        call = SourceAgainCall(fulfilment_id=first, without_node=True)
        await handle.signal(OrderWorkflow.source_again_requested, call)
        await until_status(world, first, "recalled")
        await stock_comes(house, order, "B")
        await until_released(house, order, 2)
        await deliver(house, order, 2)
        await ended(house, order)


async def test_units_that_staff_took_from_a_node_do_not_go_back_at_once(
    temporal_client: Client, world: AsyncEngine
) -> None:
    """The process hears that the store sourced them, and asks on what terms they wait: without the node, still."""
    async with House(temporal_client, world).working() as house:
        order = small.order("not-back", B=3)
        await house.send(order)
        told = {"fulfilment_id": f"{order.order_id}-F1", "actor": "ada", "at": datetime.now(UTC)}
        await source_work_again(Database(world, replaying=True), SourceWorkAgain(**told, without_node=True))
        await house.handle(order).signal(OrderWorkflow.order_changed, OrderNews())

        async def has_asked() -> bool:
            return await one(world, "SELECT count(*) FROM sourcing_decisions") == 3

        await until_true("the process asked on what terms the units wait", has_asked)
        assert await rows(world, "SELECT status FROM fulfilments") == [("recalled",)]
        await stock_comes(house, order, "B")
        await until_released(house, order, 2)
        await deliver(house, order, 2)
        await ended(house, order)


async def test_work_is_split(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("parted", A=3)
        await house.send(order)
        first = f"{order.order_id}-F1"
        for units in (5, 2):  # there are no five
            call = SplitCall(fulfilment_id=first, lines=(StepLine(line_id="1", quantity=units),))
            await house.handle(order).signal(OrderWorkflow.split_requested, call)
        await deliver(house, order)
        await deliver(house, order, 2)
        await ended(house, order)
    assert await rows(world, "SELECT quantity FROM fulfilment_lines ORDER BY fulfilment_id") == [(1,), (2,)]


async def test_goods_are_kept_longer_and_end_with_the_order(temporal_client: Client, world: AsyncEngine) -> None:
    """The process waits for nothing but the customer, and hears when the time is over."""
    async with House(temporal_client, world).working() as house:
        order = small.order("kept-longer", A=1, tags=[], shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        first = f"{order.order_id}-F1"
        await house.node(order, "pack")
        await until_status(world, first, "ready_for_collection")
        await house.told()
        code = str(await one(world, "SELECT code FROM collections"))
        assert [message.key for message in house.mail.sent if code in message.text] == [
            f"{order.order_id}/{first}:ready_for_collection/mail"
        ]
        await house.handle(order).signal(OrderWorkflow.node_report, _wrong(first))
        until = datetime.now(UTC) + timedelta(days=90)
        await house.handle(order).signal(OrderWorkflow.keep_requested, KeepCall(fulfilment_id=first, until=until))

        async def kept() -> bool:
            return await rows(world, "SELECT collect_by, wrong_codes FROM collections") == [(until, 1)]

        await until_true("it is kept longer", kept)
        assert await collecting.look(world, until, Writing(webhook=False, notify=True)) == 1
        assert (await ended(house, order)).status is OrderStatus.CANCELLED


async def test_a_store_receives_what_a_carrier_brings_it(temporal_client: Client, world: AsyncEngine) -> None:
    await to_store.allow(world)
    async with House(temporal_client, world).working() as house:
        order = small.order("to-the-counter", B=1, tags=[], shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        handle, first = house.handle(order), f"{order.order_id}-F1"
        call = FulfilmentCall(fulfilment_id=first, actor="kim")
        await handle.signal(OrderWorkflow.receive_at_store_requested, call)  # nothing has left its node
        await ship(house, order)
        await handle.signal(OrderWorkflow.receive_at_store_requested, call)
        await until_status(world, first, "ready_for_collection")
        code = str(await one(world, "SELECT code FROM collections"))
        given = NodeReport(fulfilment_id=first, step="collect", code=code, occurred_at=datetime.now(UTC))
        await handle.signal(OrderWorkflow.node_report, given)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
    told = "SELECT actor FROM timeline WHERE kind = 'fulfilment_ready_for_collection'"
    assert await rows(world, told) == [("kim",)]


def _wrong(fulfilment_id: str) -> NodeReport:
    return NodeReport(fulfilment_id=fulfilment_id, step="collect", code="wrong", occurred_at=datetime.now(UTC))
