"""What the doctor sees of a database, a Temporal server and an API that are there: whether orders can run on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any

from cli import connections
from cli.finding import CheckVerdict, DoctorFinding, checked
from cli.problems import StartProblem
from settings import Settings

TASK_QUEUE = "task queue"
"""What the finding is called that is fine if workers work."""
POLLS_AT_LEAST_EVERY = timedelta(seconds=90)
"""A poll lasts a minute at most; a worker that has not polled for longer is gone, though the server still lists it."""


def database(settings: Settings, url: str) -> Iterator[DoctorFinding]:
    """A database that lets us in: writes, schema, connections."""
    from bootstrap import database as readiness
    from store.database.migrate import Schema

    yield checked("database writes", "it takes them", readiness.require_writable, url)
    try:
        newer = readiness.schema(url) is Schema.AHEAD
    except StartProblem as problem:
        yield DoctorFinding("schema", CheckVerdict.BLOCKS, str(problem))
        return
    if newer:
        yield DoctorFinding(
            "schema", CheckVerdict.NOTE, "newer than this program: an upgrade is under way, or was rolled back"
        )
    else:
        yield checked("schema", "up to date", readiness.require_schema, url)
    yield connections.finding(settings, url)


def engine(settings: Settings) -> list[DoctorFinding]:
    """A Temporal server: whether it lets us in, knows namespace and search attributes, and has workers."""
    return asyncio.run(_engine(settings))


async def _engine(settings: Settings) -> list[DoctorFinding]:
    from temporalio.service import RPCError

    from bootstrap import namespace, temporal

    address, named = settings.temporal_address, settings.temporal_namespace
    try:
        client = await temporal.connect(settings)
    except StartProblem as problem:
        return [DoctorFinding("Temporal", CheckVerdict.BLOCKS, str(problem))]
    there = DoctorFinding("Temporal", CheckVerdict.FINE, f"{address} answers")
    try:
        await namespace.require(client)
        workers = await _workers(client, settings.task_queue)
    except StartProblem as problem:
        return [there, DoctorFinding("namespace", CheckVerdict.BLOCKS, str(problem))]
    except RPCError as error:
        refused = temporal.refused(address, named, error)
        return [there, DoctorFinding(TASK_QUEUE, CheckVerdict.BLOCKS, str(refused))]
    fit = DoctorFinding("namespace", CheckVerdict.FINE, f"{named}, with the search attributes of orders")
    return [there, fit, _task_queue(settings.task_queue, workers)]


def _task_queue(name: str, workers: set[str]) -> DoctorFinding:
    if workers:
        return DoctorFinding(TASK_QUEUE, CheckVerdict.FINE, f"{name}: polled by {len(workers)} workers")
    return DoctorFinding(
        TASK_QUEUE, CheckVerdict.NOTE, f"{name}: no worker polls it, so no order moves. Start `dom worker`"
    )


async def _workers(client: Any, task_queue: str) -> set[str]:
    """Who polls for workflow tasks, by identity."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    since = datetime.now(UTC) - POLLS_AT_LEAST_EVERY
    return {each.identity for each in described.pollers if each.last_access_time.ToDatetime(tzinfo=UTC) >= since}


def api(host: str, port: int) -> DoctorFinding | None:
    """What our own API says of itself at this address; None if another program, or nobody, is there."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        body = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    if not isinstance(body, dict):
        return None
    if body.get("type") == "/problems/not-ready":
        return DoctorFinding(
            "API port", CheckVerdict.NOTE, f"{port}: our API is there but not ready. {body.get('detail')}"
        )
    if body.get("status") == "ready" and "postgresql" in body:
        return DoctorFinding("API port", CheckVerdict.FINE, f"{port}: our API serves there")
    return None
