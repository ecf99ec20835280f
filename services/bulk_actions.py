"""What a bulk run does to one order, in the transaction of the caller."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.bulk import BulkOutcome, CancelOrders, HoldOrders, ReleaseOrders, SourceOrdersAgain
from dom.orders.commands import CancelUnits, PlaceHold, ReleaseHold, SourceWorkAgain
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import UNBEGUN
from dom.shared.errors import CannotCancel, Forbidden
from services import holds
from services.change_orders import Writing, change_order, locked
from services.database import Database
from services.sourcing_work_again import source_works_again_in
from store.orders.bulk_runs import BulkItemResult, BulkRun


async def carry_out(database: Database, connection: AsyncConnection, run: BulkRun, order_id: str) -> BulkItemResult:
    """Do it to an order, and tell its process. Raises what one such call for one order raises."""
    return await _ACTIONS[type(run.action)](database, connection, run, order_id)


def _writing(database: Database) -> Writing:
    return Writing(webhook=database.webhooks, notify=True)


def _request(run: BulkRun) -> str:
    return f"bulk/{run.id}"


async def _cancel(database: Database, connection: AsyncConnection, run: BulkRun, order_id: str) -> BulkItemResult:
    """Cancel what can be cancelled. What is at nodes that who asked may not touch is refused, and with it the order."""
    assert isinstance(run.action, CancelOrders)  # noqa: S101  chosen by it
    state = await locked(connection, order_id)
    wanted = {i: line for i, line in state.lines.items() if run.action.sku in {None, line.sku}}
    units = {line_id: n for line_id, n in state.cancellable.items() if line_id in wanted}
    if not units:
        if all(line.quantity == line.cancelled for line in wanted.values()):
            return BulkItemResult(BulkOutcome.UNCHANGED, "nothing is left to be cancelled")
        raise CannotCancel("all of it was handed over or cancelled already")
    command = CancelUnits(
        lines=units,
        nodes=None if run.limits.nodes is None else tuple(sorted(run.limits.nodes)),
        actor=run.requested_by,
        at=database.now(),
        reason=run.reason,
        request=_request(run),
    )
    await change_order(connection, order_id, command, _writing(database))
    left = {i: n for i, line in wanted.items() if (n := line.quantity - line.cancelled - units.get(i, 0))}
    detail = f"{sum(units.values())} units cancelled" + (f", {sum(left.values())} left its node" if left else "")
    return BulkItemResult(BulkOutcome.DONE, detail, {"cancelled": units, "not_cancelled": left})


async def _hold(database: Database, connection: AsyncConnection, run: BulkRun, order_id: str) -> BulkItemResult:
    assert isinstance(run.action, HoldOrders)  # noqa: S101
    state = await locked(connection, order_id)
    standing = _standing(state, run.action.type)
    if standing is not None:
        return BulkItemResult(BulkOutcome.UNCHANGED, f"{standing} stands already", {"hold_id": standing})
    command = PlaceHold(
        type=run.action.type, actor=run.requested_by, at=database.now(), reason=run.reason, request=_request(run)
    )
    changed = await holds.place(connection, order_id, command, _writing(database))
    hold_id = str(changed.data["hold_id"])
    return BulkItemResult(BulkOutcome.DONE, f"{hold_id} was put on", {"hold_id": hold_id})


async def _release(database: Database, connection: AsyncConnection, run: BulkRun, order_id: str) -> BulkItemResult:
    assert isinstance(run.action, ReleaseOrders)  # noqa: S101
    state = await locked(connection, order_id)
    standing = _standing(state, run.action.type)
    if standing is None:
        return BulkItemResult(BulkOutcome.UNCHANGED, f"no hold of the type {run.action.type} stands")
    command = ReleaseHold(
        hold_id=standing, actor=run.requested_by, at=database.now(), reason=run.reason, request=_request(run)
    )
    await holds.release(connection, order_id, command, _writing(database), run.roles)
    return BulkItemResult(BulkOutcome.DONE, f"{standing} was released", {"hold_id": standing})


def _standing(state: OrderState, type_: str) -> str | None:
    return next((hold.id for hold in state.holds.values() if hold.type == type_), None)


async def _source_again(database: Database, connection: AsyncConnection, run: BulkRun, order_id: str) -> BulkItemResult:
    """Its nodes are left out, and failed the order: the policy says when they are asked again. What the customer
    collects stays where he collects it.
    """
    assert isinstance(run.action, SourceOrdersAgain)  # noqa: S101
    state = await locked(connection, order_id)
    node = run.action.node_id
    at_node = [work for work in state.living if node in {None, work.node_id} and not work.pickup]
    work = [each for each in at_node if each.status in UNBEGUN]
    if not work:
        begun = f"; {', '.join(each.id for each in at_node)} has begun" if at_node else ""
        return BulkItemResult(BulkOutcome.UNCHANGED, f"no work to be taken away{f' at {node}' if node else ''}{begun}")
    for each in work:
        if not run.limits.allow(node=each.node_id):
            raise Forbidden(f"{run.requested_by} has no access to {each.node_id}")
    commands = [_without_its_node(database, run, each) for each in work]
    done = await source_works_again_in(database, connection, state, commands, _writing(database))
    after = done.state
    new = {each.id: each.node_id for each in after.living if each.id not in state.fulfilments}
    to = f"now at {', '.join(sorted(set(new.values())))}" if new else "no other node was found"
    detail = f"taken from {', '.join(sorted({each.node_id for each in work}))}; {to}"
    if after.waiting:
        detail += f"; {sum(after.waiting.values())} units wait"
    data = {"taken_from": {each.id: each.node_id for each in work}, "now_at": new, "waiting": dict(after.waiting)}
    return BulkItemResult(BulkOutcome.DONE, detail, data)


def _without_its_node(database: Database, run: BulkRun, work: FulfilmentState) -> SourceWorkAgain:
    return SourceWorkAgain(
        fulfilment_id=work.id,
        without_node=True,
        actor=run.requested_by,
        at=database.now(),
        reason=run.reason,
        request=f"{_request(run)}/{work.id}",
    )


_Act = Callable[[Database, AsyncConnection, BulkRun, str], Awaitable[BulkItemResult]]
_ACTIONS: Final[Mapping[type[Any], _Act]] = {
    CancelOrders: _cancel,
    HoldOrders: _hold,
    ReleaseOrders: _release,
    SourceOrdersAgain: _source_again,
}
