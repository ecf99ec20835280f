"""A worker on a small world, with outside parties that tests can look into."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.worker import Worker

from activities.boundary import Database
from connectors.notifications.port import Medium
from dom.orders.order import Order
from dom.returns import EXPIRES_AFTER
from dom.shared import ids
from jobs.allocating import Allocating
from jobs.job import Job
from store.database.uninterrupted import unbroken
from tests.unit.worlds import MONDAY_NOON
from tests.worlds.outside import RecordingCarrier, RecordingSender
from worker import WORKFLOWS, drain, wired
from workflows import attributes
from workflows.messages import (
    EDITION,
    AcceptCall,
    CarrierReport,
    NodeReport,
    OrderAnswer,
    OrderInput,
    OrderResult,
)
from workflows.order.process import OrderWorkflow

Handle = WorkflowHandle[OrderWorkflow, OrderResult]


STOP_SECONDS = 5


@dataclass
class House:
    """A running worker and what it talks to. Planning takes place as of the time an order was placed.

    `allocates`: what comes in is dealt out to the orders that wait for it. `returns_last`: how long the
    goods of a return are waited for. `most_events`: how long the history of a run of an order or a return may be.
    """

    client: Client
    engine: AsyncEngine
    task_queue: str = field(default_factory=lambda: f"q-{uuid4().hex}")
    mail: RecordingSender = field(default_factory=RecordingSender)
    carrier: RecordingCarrier = field(default_factory=RecordingCarrier)
    allocates: bool = True
    returns_last: timedelta = EXPIRES_AFTER
    most_events: int | None = None

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """All activities, wired to this house."""
        return wired(
            Database(engine=self.engine, replaying=True),
            carriers={self.carrier.name: self.carrier},
            senders={Medium.MAIL: self.mail},
            returns_last=self.returns_last,
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator["House"]:
        """Serve while the block runs."""
        worker = Worker(self.client, task_queue=self.task_queue, workflows=WORKFLOWS, activities=self.activities)
        running = asyncio.create_task(worker.run())
        try:
            async with allocating(self.engine, self.client) if self.allocates else nullcontext():
                yield self
        finally:
            await drain(worker, running, STOP_SECONDS)

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
            report = NodeReport(
                fulfilment_id=ids.fulfilment_id(order.order_id, number), step=step, occurred_at=at, **fields
            )
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


@asynccontextmanager
async def allocating(engine: AsyncEngine, client: Client) -> AsyncIterator[None]:
    """Deal out what comes in to the orders that wait for it while the block runs, as the keeper does."""
    running = asyncio.create_task(_repeat(Allocating(engine, client, every=0.05, everything_every=1.0)))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def _repeat(job: Job) -> NoReturn:
    while True:
        # As in the keeper's loop: a run cut off in the middle of its SQL would lose its connection to the pool.
        if not await unbroken(job.run(), STOP_SECONDS):
            await asyncio.sleep(job.every)
