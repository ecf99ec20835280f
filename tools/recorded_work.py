"""Histories of imports, rehearsals, bulk runs and messages of channels, for `tools.record_histories`."""

from contextlib import suppress
from typing import Any, Final

from temporalio.client import WorkflowFailureError

from dom.channels.connection import Connection, Feed, Platform
from dom.shared import ids
from processes.background_work import BackgroundWork
from processes.client import Durable
from services import bulk_changes
from simulator.platforms.shopify.stub import ShopifyStub
from store.imports import applying
from tests.worlds.background import AFTER_TWO_CHUNKS, AT_THE_THIRD_ORDER, asked, barrier, bulk_asked, heard, received
from tests.worlds.channel_messages import open_shop, send, told
from tests.worlds.running import House
from tests.worlds.shops import connect, reached, template
from workflows.bulk import BulkInput, BulkWorkflow
from workflows.channel_feeds import ChannelFeedWorkflow, FeedInput
from workflows.imports import ImportInput, ImportWorkflow

IMPORTED: Final = "imported"
IMPORT_CANCELLED: Final = "import-cancelled"
REHEARSED: Final = "rehearsed"
BULK: Final = "bulk"
BULK_STOPPED: Final = "bulk-stopped"
TAKEN_IN: Final = "taken-in"
FEED_READ: Final = "feed-read"
RECORDED: Final = (IMPORTED, IMPORT_CANCELLED, REHEARSED, BULK, BULK_STOPPED, TAKEN_IN, FEED_READ)
"""A file that is applied, one that is cancelled in the middle, a rehearsal, the same two of a bulk run, messages of a
channel about an order, and a feed of a channel that is read in several turns.
"""


async def do(house: House, name: str) -> str:
    """Do it to its end; answers the workflow."""
    applying.CHUNK = 3  # type: ignore[misc]
    work = BackgroundWork(Durable(house.client, house.task_queue), house.engine)
    if name == REHEARSED:
        workflow_id = await asked(house.engine)
        await work.rehearsal_asked(workflow_id)
    elif name in {BULK, BULK_STOPPED}:
        workflow_id = await bulk_asked(house.engine, 6)
        await _in_turns(house, workflow_id, stopped=name == BULK_STOPPED)
    elif name == TAKEN_IN:
        workflow_id = await _taken_in(house)
    elif name == FEED_READ:
        workflow_id = await _feed_read(house)
    elif name == IMPORTED:
        workflow_id = (await received(house.engine, 10)).id
        await work.import_received(workflow_id)
    else:
        workflow_id = (await received(house.engine, 10)).id
        await _cancelled_in_the_middle(house, workflow_id)
    with suppress(WorkflowFailureError):
        await house.client.get_workflow_handle(workflow_id).result()
    return workflow_id


async def _taken_in(house: House) -> str:
    """An order, and fewer of it a moment later."""
    await open_shop(house.engine)
    await send(house.engine, told(TAKEN_IN, "2026-03-02T12:00:00+00:00", A=2), "first")
    await send(house.engine, told(TAKEN_IN, "2026-03-02T12:00:01+00:00", A=1), "second")
    await house.told()
    return ids.channel_order_workflow_id("web", TAKEN_IN)


async def _feed_read(house: House) -> str:
    """Sixty orders of a shop, a page a turn."""
    stub = ShopifyStub()
    house.platform = reached(stub.app)
    house.secrets["web", "access_token"] = "shpat_stub"
    settings: dict[str, Any] = {"url": "https://shop.example"}
    wanted = Connection(platform=Platform.SHOPIFY, settings=settings, pull_seconds=60, overlap_seconds=3600)
    await connect(house.engine, "web", wanted, template("shopify"))
    for number in range(60):
        stub.place({"A": 1}, number=98_000 + number, paid=False)
    workflow_id = "channel-web-orders"
    start = FeedInput(channel="web", feed=Feed.ORDERS, turn_seconds=0.000001, beat_seconds=0.2, silence_seconds=2.0)
    await house.client.start_workflow(ChannelFeedWorkflow.run, start, id=workflow_id, task_queue=house.task_queue)
    return workflow_id


async def _in_turns(house: House, bulk_id: str, *, stopped: bool) -> None:
    bulk_changes.AT_A_TIME = 2  # type: ignore[misc]
    start = BulkInput(bulk_id=bulk_id, turn_seconds=0.000001, beat_seconds=0.2, silence_seconds=2.0)
    async with barrier(house.engine, AT_THE_THIRD_ORDER) as held:
        await house.client.start_workflow(BulkWorkflow.run, start, id=bulk_id, task_queue=house.task_queue)
        await held.reached()
        if stopped:
            await house.client.get_workflow_handle(bulk_id).cancel(reason="recorded")
            await heard(house.client, bulk_id)


async def _cancelled_in_the_middle(house: House, import_id: str) -> None:
    start = ImportInput(import_id=import_id, beat_seconds=0.2, silence_seconds=2.0)
    async with barrier(house.engine, AFTER_TWO_CHUNKS) as held:
        await house.client.start_workflow(ImportWorkflow.run, start, id=import_id, task_queue=house.task_queue)
        await held.reached()
        await house.client.get_workflow_handle(import_id).cancel(reason="recorded")
        await heard(house.client, import_id)
