"""`dom orders`: orders are found and cancelled; orders and returns are compared with their processes in Temporal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli import orders_search
from cli.calling import NOT_COMPARED, console, environment, problems_as_one_line
from dom.exceptions import ExceptionAction, ExceptionKind

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from temporalio.client import Client

    from cli.folder import DataFolder
    from dom.orders.calls import CancelCall, CancelResult
    from dom.orders.commands import Reship
    from dom.shared.access import Principal
    from processes.consistency import Comparison, Fault
    from services.change_orders import OrderChanged
    from services.exceptions_desk import Asked
    from settings import Settings
    from store.access.audit import AuditEntry
    from store.orders.bulk_runs import BulkRun

app = typer.Typer(no_args_is_help=True, help="Orders: found, and compared with their processes in Temporal.")
app.command()(orders_search.search)

Result = TypeVar("Result")
_LEFT = "left: it had ended, and its goods may have left; look first, then name it to capture it anew"
Thoroughly = Annotated[
    bool,
    typer.Option(
        "--thoroughly",
        help="Ask every process about each line and fulfilment, and look for all that ended, as after a restore.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="How many are listed; all are counted.")]
By = Annotated[str, typer.Option("--by", help="Who revives; stands in the timeline.", envvar="USER")]


@app.command()
def check(thoroughly: Thoroughly = False, limit: Limit = 200, as_json: AsJson = False) -> None:
    """Which orders and returns have no process, or one that does not agree with the store or is not known to it.

    Changes nothing. Exit code 1 if there are any, 2 if they could not be compared, or not all of them.
    """
    with problems_as_one_line(NOT_COMPARED):
        settings, folder = environment()
        found = on_servers(settings, folder, lambda servers: servers.compare(thoroughly=thoroughly))
    if as_json:
        print(json.dumps(document(found, limit), indent=2))
    else:
        show(found, limit)
    raise typer.Exit(exit_code(found))


@app.command()
def revive(
    them: Annotated[list[str] | None, typer.Argument(help="Orders and returns by id, such as web-536365.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that `dom orders check` finds, but for what has ended.")
    ] = False,
    thoroughly: Thoroughly = False,
    by: By = "operator",
) -> None:
    """Start the process of orders and returns anew, where the store stands; what was done is not done twice.

    A process that does not agree with the store is terminated first. What has ended and is not in the store is captured
    anew only by name: its goods may have left. Exit code 1 if one cannot be revived, or is left.
    """
    if bool(them) == everything:
        raise typer.BadParameter("name orders and returns, or say --all")
    with problems_as_one_line():
        settings, folder = environment()
        done = on_servers(settings, folder, lambda servers: servers.revive(them or None, by, thoroughly=thoroughly))
    for about, why in done.items():
        typer.echo(f"{about}: {why or 'goes on where the store stands'}")
    typer.echo(f"{sum(not why for why in done.values())} revived")
    raise typer.Exit(1 if any(done.values()) else 0)


def on_servers(settings: Settings, folder: DataFolder, work: Callable[[Servers], Awaitable[Result]]) -> Result:
    """What `work` answers, on the database and the Temporal server that are configured or run; raises StartProblem."""
    from cli.running import found_settings

    return asyncio.run(_on_servers(found_settings(settings, folder), work))


@dataclass(frozen=True, slots=True)
class CheckedProcesses:
    """The comparison, for who does more than this; without one `why_not` says why there is none.

    `exit_code` is 0 where no Temporal server is configured and none runs: then there was nothing to compare with.
    """

    found: Comparison | None
    why_not: str = ""
    exit_code: int = 0


def compared_with_temporal(settings: Settings, folder: DataFolder) -> CheckedProcesses:
    """Compare, if there is a Temporal server; one that does not answer is a reason and no error."""
    from cli.problems import StartProblem

    if folder.addresses() is None and not (settings.database_url and settings.temporal_address):
        return CheckedProcesses(None, "no Temporal server is configured, and no `dom up` runs")
    try:
        found = on_servers(settings, folder, lambda servers: servers.compare(thoroughly=False))
    except StartProblem as problem:
        return CheckedProcesses(None, str(problem), NOT_COMPARED)
    return CheckedProcesses(found, exit_code=exit_code(found))


def exit_code(found: Comparison) -> int:
    """1 if something is wrong, 2 if nothing was found and not everything could be compared."""
    return 1 if found.faults else 0 if found.is_complete else NOT_COMPARED


async def _on_servers(settings: Settings, work: Callable[[Servers], Awaitable[Result]]) -> Result:
    from sqlalchemy.exc import DBAPIError
    from temporalio.service import RPCError

    from bootstrap import namespace
    from bootstrap.database import require_schema
    from cli.problems import StartProblem
    from store.database import engine as database
    from worker import connect

    await asyncio.to_thread(require_schema, settings.database_url)
    engine = database.create(settings.database_url, 4)
    try:
        client = await connect(settings)
        await namespace.require(client)
        return await work(Servers(engine, client, settings.task_queue))
    except (RPCError, RuntimeError) as error:
        raise StartProblem(f"Temporal does not answer ({error})", "`dom doctor` looks; then try again") from error
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise StartProblem(f"the database cannot be read ({reason})", "`dom doctor` looks; then try again") from error
    finally:
        await engine.dispose()


class Servers:
    """The store and Temporal side by side."""

    def __init__(self, engine: AsyncEngine, client: Client, task_queue: str) -> None:
        from processes.consistency import Living

        self._engine, self._client, self._task_queue = engine, client, task_queue
        self._living = Living(engine, client, task_queue)

    async def compare(self, *, thoroughly: bool) -> Comparison:
        """Everything that is wrong."""
        return await self._living.compare(thoroughly=thoroughly)

    async def act(self, asked: Asked, action: ExceptionAction, who: Principal, *, webhooks: bool) -> None:
        """Do something about an exception. Raises what `ExceptionActions.carry_out` raises."""
        from processes.client import Durable
        from processes.exception_actions import ExceptionActions
        from processes.orders import OrderProcesses
        from store.database.engine import reading

        durable = Durable(self._client, self._task_queue)
        orders = OrderProcesses(durable, reading(self._engine))
        await ExceptionActions(durable, self._engine, orders, webhooks=webhooks).carry_out(asked, action, who)

    async def begin_bulk(self, write: Callable[[AsyncConnection], Awaitable[BulkRun]]) -> BulkRun:
        """Write a bulk run down, or go on with one, and have it carried out."""
        from processes.background_work import BackgroundWork
        from processes.client import Durable

        async with self._engine.begin() as connection:
            run = await write(connection)
        if not run.ended:
            await BackgroundWork(Durable(self._client, self._task_queue), self._engine).bulk_asked(run.id)
        return run

    async def reship(self, command: Reship, *, webhooks: bool) -> OrderChanged:
        """Send a parcel that came back once more. Raises what `reshipping.reship` raises."""
        from processes.client import Durable
        from processes.reshipping import reship

        durable = Durable(self._client, self._task_queue)
        return await reship(durable, self._engine, command, webhooks=webhooks)

    async def cancel(self, order_id: str, call: CancelCall, key: str | None, entry: AuditEntry) -> CancelResult:
        """Cancel units, and write it into the audit log. Raises what `OrderProcesses.cancel` raises."""
        from temporalio.client import WorkflowUpdateFailedError

        from processes.client import Durable
        from processes.errors import domain_error
        from processes.orders import OrderProcesses
        from store.access import audit
        from store.database.engine import reading

        orders = OrderProcesses(Durable(self._client, self._task_queue), reading(self._engine))
        try:
            result = await orders.cancel(order_id, call, key)
        except WorkflowUpdateFailedError as error:
            raise (domain_error(error.cause) or error) from error
        async with self._engine.begin() as connection:
            await audit.write(connection, entry)
        return result

    async def revive(self, them: list[str] | None, by: str, *, thoroughly: bool) -> dict[str, str]:
        """Revive the named, or everything that is wrong; answers why not, or an empty text for what was revived."""

        done: dict[str, str] = {}
        if them is None:
            for fault in (await self.compare(thoroughly=thoroughly)).faults:
                by_name_only = fault.kind == ExceptionKind.NOT_IN_STORE
                done[fault.about] = _LEFT if by_name_only else await self._revive(fault, by)
            return done
        for about in them:
            found = await self._living.of(about)
            done[about] = await self._revive(found, by) if found else await self._why_not(about)
        return done

    async def _why_not(self, about: str) -> str:
        from dom.orders.status import FINAL_ORDER, FINAL_RETURN
        from store.orders import orders, reads

        async with self._engine.connect() as connection:
            order = await orders.find(connection, about)
            return_ = None if order else await reads.return_(connection, about)
        if order is None and return_ is None:
            return "nothing to revive: no order or return has this id"
        status = return_["status"] if return_ else order and order.status
        if status in FINAL_ORDER | FINAL_RETURN:
            return f"nothing to revive: it is {status}, and over"
        if not await self._living.agrees(about):
            return "its process gave no answer: does a worker run?"
        return "nothing to revive: it has a process that agrees with the store"

    async def _revive(self, fault: Fault, by: str) -> str:
        from temporalio.exceptions import WorkflowAlreadyStartedError

        from dom.shared.errors import DomError
        from processes.revival import revive

        try:
            await revive(self._engine, self._client, self._task_queue, fault, by)
        except WorkflowAlreadyStartedError:
            return "a process was started by somebody else meanwhile"
        except DomError as error:
            return error.detail
        return ""


def document(found: Comparison, limit: int) -> dict[str, object]:
    """The comparison as plain values."""
    return {
        "open": found.open,
        "running": found.running,
        "ended": found.ended,
        "asked": found.asked,
        "without_answer": found.unasked,
        "counts": {kind: len(found.of(kind)) for kind in sorted({fault.kind for fault in found.faults})},
        "faults": [
            {"about": each.about, "kind": each.kind, "status": each.status, "detail": each.detail}
            for each in found.faults[:limit]
        ],
    }


def show(found: Comparison, limit: int) -> None:
    """The comparison as a table."""
    from cli.tables import numbers

    screen = console()
    if found.faults and limit:
        rows = ((each.about, each.kind, each.status or "-", each.words) for each in found.faults[:limit])
        screen.print(numbers("orders and their processes", ("order or return", "kind", "status", "words"), (), rows))
    if len(found.faults) > limit:
        screen.print(f"{len(found.faults) - limit} more are not listed")
    screen.print(found.in_words)
    if found.faults:
        screen.print("`dom orders revive --all` starts them anew where the store stands")


def show_processes(compared: CheckedProcesses, limit: int) -> None:
    """The comparison for who does more than this."""
    if compared.found is None:
        console().print(f"orders were not compared with their processes: {compared.why_not}")
    else:
        show(compared.found, limit)
