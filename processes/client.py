"""Temporal from the outside: connecting late, asking and telling workflows, and what it means if one has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, TemporalError
from temporalio.service import RPCError, RPCStatusCode

from bootstrap import namespace, refusals
from dom.returns import OTHER_REQUEST
from dom.shared.base import Value
from dom.shared.errors import Conflict
from processes.errors import NO_NAMESPACE, NotReady, Unavailable
from processes.runs import last_run
from workflows.attributes import STATUS
from workflows.messages import REFUSED, REQUEST

ANSWER_WITHIN: Final = timedelta(seconds=20)
"""A caller who heard nothing for so long is told to ask again."""
CONNECT_WITHIN: Final = timedelta(seconds=2)

W = TypeVar("W")
C = TypeVar("C", bound=Value)
R = TypeVar("R")
A = TypeVar("A")


class Durable:
    """Workflows of one task queue. The client may be one that was never connected: the first call connects it."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self._task_queue = task_queue
        self._reached = False

    @property
    def task_queue(self) -> str:
        """Where its workflows are worked on."""
        return self._task_queue

    async def reach(self) -> None:
        """Connect if nobody did yet. Raises Unavailable while Temporal cannot be reached."""
        if self._reached:
            return
        try:
            await self.client.service_client.check_health(timeout=CONNECT_WITHIN)
        except (RuntimeError, RPCError) as error:  # a first connection that fails is a plain RuntimeError of the SDK
            raise Unavailable("Temporal") from error
        self._reached = True

    async def lacks(self) -> str:
        """What stands in the way of orders at Temporal, in words; empty if nothing does."""
        try:
            problem = await namespace.lacking(self.client)
        except (RuntimeError, RPCError):
            return "Temporal cannot be reached now"
        return "" if problem is None else str(problem)

    def start(
        self,
        run: Callable[[W, C], Awaitable[R]],
        start: C,
        *,
        workflow_id: str,
        summary: str,
        attributes: TypedSearchAttributes | None = None,
        refused_before: bool = False,
    ) -> WithStartWorkflowOperation[W, R]:
        """How a workflow is started together with the first update. One that runs is taken as it is, one that was
        terminated or failed makes room; one that completed does only for who knows that it was `refused_before`.
        """
        only_failed = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        return WithStartWorkflowOperation(
            run,
            start,
            id=workflow_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE if refused_before else only_failed,
            search_attributes=attributes,
            static_summary=summary,
        )

    async def start_and_ask(self, start: WithStartWorkflowOperation[W, R], ask: Callable[[Client], Awaitable[A]]) -> A:
        """The answer to the first update of a workflow. Raises what Temporal raises, in time."""
        await self.reach()
        async with self._prepared():
            try:
                async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                    return await ask(self.client)
            except TemporalError:
                await _fetch_second_error(start)
                raise

    async def begin(self, run: Callable[[W, C], Awaitable[R]], start: C, *, workflow_id: str, summary: str) -> None:
        """Start a workflow unless it runs; one that has ended is started anew."""
        await self.reach()
        async with self._prepared():
            await self.client.start_workflow(
                run,
                start,
                id=workflow_id,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=summary,
            )

    async def cancel(self, workflow_id: str, reason: str) -> bool:
        """Ask a workflow to cancel itself; False if no such workflow runs."""
        await self.reach()
        async with self._prepared():
            try:
                await self.client.get_workflow_handle(workflow_id).cancel(reason=reason)
            except RPCError as error:
                if not refusals.is_about_workflow(error):
                    raise
                return False
        return True

    async def ask(
        self,
        workflow_id: str,
        update: Callable[[WorkflowHandle[Any, Any]], Awaitable[R]],
        *,
        key: str | None,
        answer: type[R],
        request_hash: str,
    ) -> R | None:
        """The workflow's answer, the same again for the same key; None if no such workflow runs.

        Raises Conflict where the key stands for a request with another hash: the server answers by the key alone.
        """
        await self.reach()
        handle = self.client.get_workflow_handle(workflow_id)
        async with self._prepared(), asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            try:
                result = await _ask(handle, update, key, answer)
            except WorkflowUpdateFailedError as error:
                details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
                refuse_another(details[0].get(REQUEST) if details else None, request_hash)
                raise
        refuse_another(getattr(result, "request_hash", None), request_hash)
        return result

    async def last_run(self, workflow_id: str) -> str:
        """The id of the workflow's last run; empty if Temporal knows none."""
        last = await last_run(self.client, workflow_id)
        return last.run_id if last is not None else ""

    async def captured_run(self, workflow_id: str) -> str:
        """The id of a last run that completed and was not refused: what it was started for came about. Or empty."""
        last = await last_run(self.client, workflow_id)
        if last is None or last.status is not WorkflowExecutionStatus.COMPLETED:
            return ""
        return last.run_id if last.typed_search_attributes.get(STATUS) != REFUSED else ""

    @asynccontextmanager
    async def _prepared(self) -> AsyncIterator[None]:
        """Raises NotReady where Temporal refuses because it was not prepared: no namespace, no search attributes."""
        try:
            yield
        except RPCError as error:
            if refusals.is_about_namespace(error):
                raise NotReady(NO_NAMESPACE) from error
            if error.status is RPCStatusCode.INVALID_ARGUMENT and (lack := await self.lacks()):
                raise NotReady(lack) from error
            raise


def refuse_another(answered: str | None, asked: str) -> None:
    """Raises Conflict if what was answered is another request than the one asked; None is not known."""
    if answered is not None and answered != asked:
        raise Conflict(OTHER_REQUEST, field="Idempotency-Key")


async def _ask(
    handle: WorkflowHandle[Any, Any],
    update: Callable[[WorkflowHandle[Any, Any]], Awaitable[R]],
    key: str | None,
    answer: type[R],
) -> R | None:
    try:
        return await update(handle)
    except RPCError as error:
        if not refusals.is_about_workflow(error):
            raise
        return await _answered_before(handle, key, answer)


async def _fetch_second_error(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """A failed operation keeps its error a second time, and what nobody fetches is reported as lost."""
    kept = asyncio.ensure_future(start.workflow_handle())
    await asyncio.wait([kept], timeout=1)
    if kept.done() and not kept.cancelled():
        kept.exception()
    kept.cancel()


async def _answered_before(handle: WorkflowHandle[Any, Any], key: str | None, answer: type[R]) -> R | None:
    """What an ended workflow answered to the same key while it ran."""
    if key is None:
        return None
    try:
        earlier: R = await handle.get_update_handle(key, result_type=answer).result()
    except RPCError as error:
        if not refusals.is_about_workflow(error):
            raise
        return None
    return earlier
