"""A worker on a small world, with outside parties that tests can look into."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NoReturn
from uuid import uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.worker import Worker

from activities.signalling import WorkflowNotices
from activities.wiring import wired
from connectors.notifications.port import Sender
from dom.notifications.messages import Medium, Notice
from dom.orders.calls import OrderAnswer
from dom.orders.order import Order
from dom.returns import EXPIRES_AFTER
from dom.shared import ids
from jobs.allocating import Allocating
from jobs.job import Job
from processes import brought_back, channel_orders, signals
from services.channel_connections import Connections
from services.channel_stock import ChannelStock
from services.channel_telling import ChannelTelling
from services.channel_webhooks import ChannelWebhooks
from services.database import Database
from services.relay import Relay, RelayPace
from store.database.uninterrupted import uninterrupted
from tests.worlds.outside import RecordingCarrier, RecordingSender
from tests.worlds.shops import GivenSecrets
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.waiting import until_notified
from worker import WORKFLOWS, background, drain
from workflows import attributes
from workflows.messages import EDITION, AcceptCall, CarrierReport, NodeReport, OrderInput, OrderResult
from workflows.order.process import OrderWorkflow

Handle = WorkflowHandle[OrderWorkflow, OrderResult]


STOP_SECONDS = 5


class LateTransport(httpx.AsyncBaseTransport):
    """Carries requests to the platform that a house has when they are made; without one nobody answers."""

    def __init__(self, house: "House") -> None:
        self._house = house

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The platform's answer."""
        if self._house.platform is None:
            raise httpx.ConnectError("there is no platform", request=request)
        return await self._house.platform.handle_async_request(request)

    async def aclose(self) -> None:
        """Let go of what is open."""
        if self._house.platform is not None:
            await self._house.platform.aclose()


@dataclass
class House:
    """A running worker and what it talks to. Planning takes place as of the time an order was placed.

    `allocates`: what comes in is dealt out to the orders that wait for it. `relays`: what is in the outbox is sent.
    `background`: imports are applied and rehearsals run. `returns_last`: how long the goods of a return are waited for.
    `lost`: signals that get lost on their way. `most_events`: how long the history of a run of an order or a return may
    be.
    """

    client: Client
    engine: AsyncEngine
    task_queue: str = field(default_factory=lambda: f"q-{uuid4().hex}")
    mail: RecordingSender = field(default_factory=RecordingSender)
    carrier: RecordingCarrier = field(default_factory=RecordingCarrier)
    allocates: bool = True
    relays: bool = True
    background: bool = False
    returns_last: timedelta = EXPIRES_AFTER
    lost: set[str] = field(default_factory=set)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    platform: httpx.AsyncBaseTransport | None = None
    most_events: int | None = None
    _is_relaying: bool = False
    _connections: Connections | None = None

    @property
    def database(self) -> Database:
        """What its activities work on."""
        return Database(engine=self.engine, replaying=True)

    @property
    def connections(self) -> Connections:
        """How channels' platforms are reached: by `platform`, with `secrets`."""
        if self._connections is None:
            self._connections = Connections(self.database, GivenSecrets(self.secrets), transport=LateTransport(self))
        return self._connections

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """All activities, wired to this house."""
        return wired(
            self.database,
            carriers={self.carrier.name: self.carrier},
            senders=self.senders,
            returns_last=self.returns_last,
            calls=channel_orders.order_calls(self.client, self.task_queue, self.engine),
            connections=self.connections,
        )

    @property
    def senders(self) -> dict[Medium, Sender]:
        """Where messages go: customers' mail, and the processes of orders."""
        return {
            Medium.MAIL: self.mail,
            Medium.WORKFLOW: WorkflowNotices(self._signal, self._begin),
            Medium.CHANNEL: ChannelTelling(self.database, self.connections),
            Medium.AVAILABILITY: ChannelStock(self.database, self.connections, ChannelWebhooks(self.engine)),
        }

    @property
    def _begin(self) -> dict[str, Callable[[str, object], Awaitable[None]]]:
        return {
            Notice.PARCEL_COMES_BACK: partial(brought_back.begin, self.client, self.task_queue),
            Notice.MESSAGE_RECEIVED: partial(channel_orders.begin, self.client, self.task_queue),
        }

    async def _signal(self, workflow_id: str, signal: str, argument: object) -> bool:
        return signal in self.lost or await signals.send(self.client, workflow_id, signal, argument)

    @asynccontextmanager
    async def working(self) -> AsyncIterator["House"]:
        """Serve while the block runs."""
        workers = [Worker(self.client, task_queue=self.task_queue, workflows=WORKFLOWS, activities=self.activities)]
        if self.background:
            workers += background(self.client, self.task_queue, self.activities, STOP_SECONDS)
        running = {worker: asyncio.create_task(worker.run()) for worker in workers}
        try:
            async with (
                relaying(self.database, self.senders) if self.relays else nullcontext(),
                allocating(self.engine) if self.allocates else nullcontext(),
            ):
                self._is_relaying = self.relays
                yield self
        finally:
            self._is_relaying = False
            await drain(running, STOP_SECONDS)
            await self.connections.close()

    async def told(self) -> None:
        """Wait until everything in the outbox has left, or failed; at once if nobody sends it."""
        if self._is_relaying:
            await until_notified(self.engine)

    async def send(self, order: Order, *, refused_before: bool = False) -> OrderAnswer:
        """Hand an order over as the API does; it looks into the store for whether one that has ended was refused."""
        only_failed = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderInput(order=order, edition=EDITION, most_events=self.most_events),
            id=ids.order_workflow_id(order.order_id),
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE if refused_before else only_failed,
            search_attributes=attributes.of_order(order),
        )
        return await self.client.execute_update_with_start_workflow(
            OrderWorkflow.accept, AcceptCall(content_hash=order.content_hash()), start_workflow_operation=start
        )

    def handle(self, order: Order) -> Handle:
        """The order's workflow."""
        return self.client.get_workflow_handle_for(OrderWorkflow.run, ids.order_workflow_id(order.order_id))

    async def node(self, order: Order, *steps: str, number: int = 1, at: datetime = MONDAY_NOON, **fields: Any) -> None:
        """The node reports steps of the order's fulfilment of that number."""
        for step in steps:
            checked = {"identity_checked": True, "reason": "passport"} if step == "collect" else {}
            said = {"fulfilment_id": ids.fulfilment_id(order.order_id, number), "occurred_at": at, **checked, **fields}
            report = NodeReport(step=step, **said)
            await self.handle(order).signal(OrderWorkflow.node_report, report)

    async def carrier_says(
        self, order: Order, kind: str, number: int = 1, at: datetime = MONDAY_NOON, booking: int | None = None
    ) -> None:
        """The carrier reports of the order's fulfilment of that number, and of which of its bookings."""
        fulfilment_id = ids.fulfilment_id(order.order_id, number)
        report = CarrierReport(
            fulfilment_id=fulfilment_id,
            kind=kind,
            tracking_number="T",
            occurred_at=at,
            shipment_id=ids.booking_key(fulfilment_id, booking) if booking else None,
        )
        await self.handle(order).signal(OrderWorkflow.carrier_report, report)


RELAYS_IN_TESTS: Final = RelayPace(poll=1.0, first_pause=0.05)


@asynccontextmanager
async def relaying(
    database: Database,
    senders: Mapping[Medium, Sender],
    webhook_url: str = "",
    pace: RelayPace = RELAYS_IN_TESTS,
) -> AsyncIterator[Relay]:
    """Send what is to be told while the block runs, as the relay's activity does; at its end, what is under way."""
    stop, relay = asyncio.Event(), Relay(database, senders, webhook_url, pace)
    running = asyncio.create_task(relay.run(stop))
    try:
        yield relay
    finally:
        stop.set()
        await asyncio.wait({running}, timeout=STOP_SECONDS)
        running.cancel()
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


@asynccontextmanager
async def allocating(engine: AsyncEngine) -> AsyncIterator[None]:
    """Deal out what comes in to the orders that wait for it while the block runs, as the leader does."""
    running = asyncio.create_task(repeat(Allocating(engine, every=0.05, everything_every=1.0)))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def repeat(job: Job) -> NoReturn:
    """Run a job again and again, as the leader does."""
    while True:
        # As in the leader's loop: a run cut off in the middle of its SQL would lose its connection to the pool.
        if not await uninterrupted(job.run(), STOP_SECONDS):
            await asyncio.sleep(job.every)
