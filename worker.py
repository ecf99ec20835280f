"""Where the worker is wired: settings -> resources -> activities -> Worker; drains on SIGTERM and SIGINT."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker

import dom.sourcing.solver.milp  # noqa: F401  # loads HiGHS now, so that the first order that needs it does not wait
from activities.lasting import AT_ONCE, own_queue
from activities.signalling import WorkflowNotices
from activities.wiring import wired
from bootstrap import database as database_readiness
from bootstrap import namespace, starting, temporal
from bootstrap.problems import StartProblem
from connectors.notifications.mail import MailSender
from connectors.notifications.port import Sender
from connectors.notifications.webhook import WebhookSender
from dom.notifications.messages import Medium, Notice
from dom.shared.errors import NotFound
from dom.sourcing.valuation.terms import PricingTerms
from jobs.accept_timeouts import AcceptTimeouts
from jobs.allocating import Allocating
from jobs.asking_customers import AskingCustomers
from jobs.cancellation_timeouts import CancellationTimeouts
from jobs.collection_timeouts import CollectionTimeouts
from jobs.expiring import Sweeping
from jobs.forgetting_messages import ForgettingMessages
from jobs.job import Job
from jobs.leader import keep
from jobs.publishing import Publishing
from jobs.reading_channels import ReadingChannels
from jobs.reallocating import Reallocating
from jobs.reoptimising import Reoptimising
from jobs.retiring_nodes import Retiring
from jobs.shadowing import Shadowing
from jobs.starting_relay import StartingRelay
from jobs.starting_work import StartingWork
from jobs.waking_intake import WakingIntake
from jobs.watching_milestones import WatchingMilestones
from jobs.watching_processes import Watching
from jobs.watching_quarantine import WatchingQuarantine
from processes import brought_back, channel_orders, signals
from services.channel_connections import Connections
from services.channel_stock import ChannelStock
from services.channel_telling import ChannelTelling
from services.channel_webhooks import ChannelWebhooks
from services.customer_links import CustomerLinks
from services.database import Database
from services.secret_stores import secret_store
from settings import Settings
from store.database import engine as database
from store.network import reference
from workflows.bulk import BulkWorkflow
from workflows.channel_feeds import ChannelFeedWorkflow
from workflows.channel_orders import ChannelOrderWorkflow
from workflows.imports import ImportWorkflow
from workflows.order.process import OrderWorkflow
from workflows.outbox_relay import OutboxRelayWorkflow, ensure
from workflows.pricing import PriceStockWorkflow, put_schedule
from workflows.rehearsals import RehearsalWorkflow
from workflows.returns import ReturnWorkflow

WORKFLOWS: tuple[type, ...] = (
    OrderWorkflow,
    ReturnWorkflow,
    PriceStockWorkflow,
    OutboxRelayWorkflow,
    ImportWorkflow,
    RehearsalWorkflow,
    BulkWorkflow,
    ChannelOrderWorkflow,
    ChannelFeedWorkflow,
)
_PATIENCE_SECONDS = 5.0
"""What a worker gets beyond its time to drain."""
_HEARTBEATS_EVERY = timedelta(seconds=3)
"""How often heartbeats reach Temporal at most. The SDK would hold them back for most of the time that an activity may
be silent, and the relay would be taken for dead when one comes late.
"""
_log = structlog.get_logger("worker")


async def connect(settings: Settings) -> Client:
    """The Temporal client of a worker. Raises StartProblem if there is none to be had."""
    return await temporal.connect(settings)


@asynccontextmanager
async def activities(
    settings: Settings, engine: AsyncEngine, client: Client
) -> AsyncIterator[list[Callable[..., Any]]]:
    """Every activity, with what it needs; connections to the outside are closed at the end.

    Raises StartProblem for a webhook secret that is none, and for a database without a policy.
    """
    lasts = timedelta(days=settings.return_expires_days)
    house_database = Database(
        engine=engine,
        replaying=settings.replay_orders,
        webhooks=bool(settings.webhook_url),
        returns_last=lasts,
    )
    async with AsyncExitStack() as open_connections:
        senders: dict[Medium, Sender] = {
            Medium.MAIL: await open_connections.enter_async_context(
                MailSender(settings.smtp_host, settings.smtp_port, settings.smtp_from)
            )
        }
        senders[Medium.WORKFLOW] = WorkflowNotices(
            partial(signals.send, client),
            {
                Notice.PARCEL_COMES_BACK: partial(brought_back.begin, client, settings.task_queue),
                Notice.MESSAGE_RECEIVED: partial(channel_orders.begin, client, settings.task_queue),
            },
        )
        connections = Connections(house_database, secret_store(settings.secrets_folder))
        senders[Medium.AVAILABILITY] = ChannelStock(house_database, connections, ChannelWebhooks(engine))
        senders[Medium.CHANNEL] = ChannelTelling(house_database, connections)
        for medium in (Medium.AVAILABILITY, Medium.CHANNEL):
            open_connections.push_async_callback(senders[medium].close)
        if settings.webhook_url:
            senders[Medium.WEBHOOK] = await open_connections.enter_async_context(_webhooks(settings))
        async with engine.connect() as connection:
            try:
                await reference.load(connection)
            except NotFound as error:
                raise StartProblem(error.detail, "run it, or publish one of your own: `dom ofl publish`") from error
        drain_seconds = settings.worker_drain_seconds
        yield wired(
            house_database,
            {},
            senders,
            settings.webhook_url,
            returns_last=lasts,
            drain_seconds=drain_seconds,
            links=links_of(settings),
            calls=channel_orders.order_calls(client, settings.task_queue, engine),
            connections=connections,
        )


def links_of(settings: Settings) -> CustomerLinks:
    """How customers answer without a login."""
    return CustomerLinks(settings.link_url, settings.link_secret.get_secret_value())


def _webhooks(settings: Settings) -> WebhookSender:
    try:
        return WebhookSender(settings.webhook_secret.get_secret_value())
    except ValueError as error:
        what = "the setting DOM_WEBHOOK_SECRET is wrong: it is not whsec_ + base64"
        raise StartProblem(what, "correct it") from error


@asynccontextmanager
async def background_jobs(
    settings: Settings, engine: AsyncEngine, client: Client, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Beside the block, run the background jobs whenever it is this worker's turn, until `stop` or the block's end."""
    if not settings.background_jobs:
        yield
        return
    running = asyncio.create_task(keep(engine, jobs(settings, engine, client), stop))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=_PATIENCE_SECONDS)


def jobs(settings: Settings, engine: AsyncEngine, client: Client) -> list[Job]:
    """Every background job."""
    return [
        Sweeping(engine, webhooks=bool(settings.webhook_url)),
        Publishing(engine),
        Allocating(engine),
        Reoptimising(engine, replaying=settings.replay_orders),
        Reallocating(engine, webhooks=bool(settings.webhook_url)),
        Retiring(engine, webhooks=bool(settings.webhook_url)),
        AcceptTimeouts(engine, webhooks=bool(settings.webhook_url)),
        CancellationTimeouts(engine, webhooks=bool(settings.webhook_url)),
        CollectionTimeouts(engine, webhooks=bool(settings.webhook_url)),
        AskingCustomers(
            engine,
            can_ask=links_of(settings).work,
            webhooks=bool(settings.webhook_url),
        ),
        Shadowing(engine),
        Watching(engine, client, settings.task_queue),
        WatchingMilestones(engine),
        WatchingQuarantine(engine),
        StartingRelay(client, settings.task_queue),
        StartingWork(engine, client, settings.task_queue),
        ReadingChannels(engine, client, settings.task_queue),
        ForgettingMessages(engine, settings.inbox_days),
        WakingIntake(engine),
    ]


def build(
    client: Client,
    settings: Settings,
    served: list[Callable[..., Any]],
    workflows: tuple[type, ...] = WORKFLOWS,
) -> Worker:
    """The worker for the settings' task queue.

    The workflow sandbox, which catches what would not replay, is left to the tests and to the replay of recorded
    histories: here it would take a third of the worker's processor time (docs/decisions).
    """
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=workflows,
        workflow_runner=UnsandboxedWorkflowRunner(),
        activities=served,
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_workflow_tasks=settings.max_concurrent_workflow_tasks,
        max_concurrent_local_activities=settings.max_concurrent_local_activities,
        max_concurrent_activities=settings.max_concurrent_activities,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(maximum=settings.workflow_task_pollers),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(maximum=settings.activity_task_pollers),
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_drain_seconds),
        max_heartbeat_throttle_interval=_HEARTBEATS_EVERY,
    )


def background(
    client: Client, task_queue: str, served: Sequence[Callable[..., Any]], drain_seconds: float
) -> list[Worker]:
    """The workers of those activities that last for minutes: each on a queue of its own, a few at once."""
    by_name = {each.__name__: each for each in served}
    return [
        Worker(
            client,
            task_queue=own_queue(task_queue, name),
            activities=[by_name[name]],
            max_concurrent_activities=at_once,
            activity_task_poller_behavior=PollerBehaviorSimpleMaximum(maximum=1),
            graceful_shutdown_timeout=timedelta(seconds=drain_seconds),
        )
        for name, at_once in AT_ONCE.items()
        if name in by_name
    ]


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let what runs come to its end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database_readiness.require_writable(settings.database_url)
    database_readiness.require_schema(settings.database_url)
    client = await connect(settings)
    await namespace.require(client)
    engine = database.create(settings.database_url, settings.db_pool_size, database.ProcessKind.WORKER)
    try:
        async with activities(settings, engine, client) as served:
            drain_seconds = settings.worker_drain_seconds
            workers = [build(client, settings, served), *background(client, settings.task_queue, served, drain_seconds)]
            running = {worker: asyncio.create_task(worker.run()) for worker in workers}
            await begin_standing_work(client, settings)
            _log.info("serving", task_queue=settings.task_queue, temporal=settings.temporal_address)
            if settings.ready_file is not None:
                settings.ready_file.touch()
            stopped = asyncio.create_task(stop.wait())
            async with background_jobs(settings, engine, client, stop):
                await asyncio.wait({*running.values(), stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if any(each.done() for each in running.values()):  # by itself: in words, if what it stands on is gone
                await namespace.require(client)
            _log.info("draining")
            await drain(running, drain_seconds + _PATIENCE_SECONDS)
    finally:
        await engine.dispose()


async def begin_standing_work(client: Client, settings: Settings) -> None:
    """Have the outbox sent, and stock priced now and then. Orders do not wait for either, so what goes wrong here is
    logged, and the worker serves. The job `starting_relay` tries the relay again; the schedule, the next worker that
    starts.
    """
    try:
        await ensure(client, settings.task_queue)
    except RPCError as error:
        _log.warning("the outbox is not sent: the relay cannot be started", error=str(error))
    try:
        await put_pricing_schedule(client, settings)
    except RPCError as error:
        _log.warning("stock is not priced: no schedule", error=str(error))


async def put_pricing_schedule(client: Client, settings: Settings) -> None:
    """The schedule by which stock is priced, as the settings want it. Raises RPCError if Temporal refuses."""
    terms = PricingTerms(
        lifetime_minutes=settings.pricing_lifetime_minutes,
        horizon_days=settings.pricing_horizon_days,
        history_days=settings.pricing_history_days,
        margin_percent=settings.pricing_margin_percent,
    )
    await put_schedule(client, settings.task_queue, timedelta(minutes=settings.pricing_minutes), terms)


async def drain(running: Mapping[Worker, asyncio.Task[None]], patience: float) -> None:
    """Stop workers; after `patience` seconds let go of them. Raises what a worker itself ended with.

    SDK 1.35: the last step of a shutdown, in its core, now and then finds no end if an activity of an open workflow
    ends in the same moment. Nothing is lost by letting go: what was not answered is tried again elsewhere.
    """
    stopping = [asyncio.create_task(worker.shutdown()) for worker in running]
    _, left = await asyncio.wait(stopping, timeout=patience)
    for task in (*running.values(), *stopping) if left else ():
        task.cancel()
    for outcome in await asyncio.gather(*running.values(), *stopping, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def main() -> None:
    """`python -m worker` and `dom worker`."""
    with starting.process() as settings:
        uvloop.run(run(settings))


if __name__ == "__main__":
    main()
