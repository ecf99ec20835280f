"""The relay is one workflow: it runs on, is started once, and is taken over when the worker that has it dies."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

import worker
from activities.relaying import RelayTurn
from cli.embedded.temporal import EmbeddedTemporal
from cli.ports import free_port
from connectors.notifications.mail import message_id
from services.capture import capture
from services.database import Database
from settings import Settings
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.waiting import until, until_notified
from workflows.outbox_relay import OutboxRelayWorkflow, RelayInput, ensure

QUICK = RelayInput(turn=RelayTurn(seconds=60, beat=0.2), silence_seconds=2)
Relay = WorkflowHandle[OutboxRelayWorkflow, None]


@asynccontextmanager
async def relay(client: Client, task_queue: str, start: RelayInput = QUICK) -> AsyncIterator[Relay]:
    """The relay of a house, until the end of the block."""
    handle = await ensure(client, task_queue, start, workflow_id=f"outbox-relay-{task_queue}")
    try:
        yield handle
    finally:
        await client.get_workflow_handle(handle.id).terminate("the test is over")


class TestRelayWorkflow:
    async def test_sends_the_mail_of_an_order_whose_process_was_terminated(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, relays=False).working() as house:
            order = small.order("terminated", A=1)
            await house.send(order)
            await house.handle(order).terminate("by hand")
            async with relay(temporal_client, house.task_queue):
                await until_notified(world)
        assert [message.key for message in house.mail.sent] == ["web-terminated/accepted/mail"]
        assert await rows(world, "SELECT status FROM outbox") == [("sent",)]

    async def test_goes_on_turn_after_turn_and_run_after_run(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world, relays=False).working() as house:
            short = RelayInput(turn=RelayTurn(seconds=0.2, beat=0.1), turns=2)
            async with relay(temporal_client, house.task_queue, short) as handle:
                latest = temporal_client.get_workflow_handle(handle.id)

                async def is_another_run() -> bool:
                    return (await latest.describe()).run_id != handle.first_execution_run_id

                for number in range(4):
                    await house.send(small.order(f"run-{number}", A=1))
                    await until_notified(world)
                await until("it went on as a new run", is_another_run)
                await house.send(small.order("run-last", A=1))
                await until_notified(world)
        assert Counter(message.key for message in house.mail.sent).most_common(1)[0][1] == 1
        assert len(house.mail.sent) == 5

    async def test_is_started_once(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world, relays=False).working() as house:
            async with relay(temporal_client, house.task_queue) as handle:
                again = [
                    await ensure(temporal_client, house.task_queue, QUICK, workflow_id=handle.id) for _ in range(2)
                ]
                assert {each.first_execution_run_id for each in again} == {handle.first_execution_run_id}
                await until("one relay has begun", lambda: _began(world, 1))
            ended = await temporal_client.get_workflow_handle(handle.id).describe()
            assert ended.status is WorkflowExecutionStatus.TERMINATED
            async with relay(temporal_client, house.task_queue):
                await house.send(small.order("told-anew", A=1))
                await until_notified(world)


class TestHeartbeats:
    async def test_reach_temporal_several_times_in_the_time_that_a_relay_may_be_silent(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        """The SDK holds them back; held back for almost as long, one that is late would end the relay."""
        house = House(temporal_client, world, relays=False)
        served = worker.build(temporal_client, Settings(task_queue=house.task_queue), house.activities)
        start = RelayInput(turn=RelayTurn(seconds=60, beat=0.2))
        async with served, relay(temporal_client, house.task_queue, start) as handle:
            last = await _heartbeat(handle)
            for _ in range(2):
                began, before = asyncio.get_running_loop().time(), last
                while last == before:
                    await asyncio.sleep(0.1)
                    last = await _heartbeat(handle)
                assert asyncio.get_running_loop().time() - began < start.silence_seconds / 3


async def _heartbeat(handle: Relay) -> object:
    """When the relay said last that it lives."""
    described = await handle.describe()
    return [activity.last_heartbeat_time.ToNanoseconds() for activity in described.raw_description.pending_activities]


async def _began(engine: AsyncEngine, times: int) -> bool:
    return bool(await one(engine, "SELECT number FROM outbox_relay") == times)


class SlowMailbox:
    """A mail server that takes its time, and counts what it took."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        (header,) = [line for line in content.decode().splitlines() if line.lower().startswith("message-id:")]
        self.taken[header.split()[1]] += 1
        await asyncio.sleep(0.05)
        return "250 OK"


@asynccontextmanager
async def worker_process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, killed at the end of the block if it is not dead by then."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.worlds.relay_process", *arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class TestWorkerKilled:
    @pytest.mark.timeout(120)
    async def test_another_takes_over_and_no_mail_arrives_twice(
        self, temporal_client: Client, temporal_server: EmbeddedTemporal, world: AsyncEngine, world_url: str
    ) -> None:
        database, mailbox, port = Database(engine=world, replaying=True), SlowMailbox(), free_port()
        for number in range(60):
            customer = {"id": f"C{number}", "name": "Ada Young", "email": f"c{number}@customer.example"}
            order = small.order(f"n{number}", A=1, customer=customer)
            await capture(database, order)
        server, queue = Controller(mailbox, hostname="127.0.0.1", port=port), f"q-{uuid4().hex}"
        server.start()
        arguments = (world_url, temporal_server.address, queue, str(port))
        try:
            async with relay(temporal_client, queue), worker_process(*arguments) as first:
                await until("mails are on their way", lambda: _taken(mailbox, 8))
                os.kill(first.pid, signal.SIGKILL)
                await first.wait()
                left = await one(world, "SELECT count(*) FROM outbox WHERE status = 'pending'")
                assert int(str(left)) > 10, "it died in the middle"
                async with worker_process(*arguments):
                    await until_notified(world)
        finally:
            server.stop()
        told = await rows(world, "SELECT business_key, status FROM outbox")
        arrived = set(mailbox.taken)
        assert set(mailbox.taken.values()) == {1}
        sent = {message_id(key, "dom.example") for key, status in told if status == "sent"}
        doubted = {message_id(key, "dom.example") for key, status in told if status == "uncertain"}
        assert (len(sent) + len(doubted), sent - arrived, arrived - sent - doubted) == (60, set(), set())
        assert 1 <= len(doubted) <= 4, "as many as were under way at once"
        assert await one(world, "SELECT count(*) FROM exceptions WHERE kind = 'message_uncertain'") == len(doubted)


async def _taken(mailbox: SlowMailbox, count: int) -> bool:
    return len(mailbox.taken) >= count
