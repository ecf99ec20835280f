"""How long goods are kept for their customer, with which code, and when the customer is reminded."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.delivery.promise import kept_until
from dom.network import Node
from dom.orders.commands import Command, CountAsDelivered, MoveParcel, TakeNodeStep
from dom.orders.lifecycle import OrderState
from dom.orders.pickup import CODE_LENGTH, CODE_LETTERS, Pickup, still_to_come
from dom.orders.pickup_commands import KeepForCollection
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.sourcing.policy.collections import Collections
from store.fulfilment import collections


async def completed(connection: AsyncConnection, state: OrderState, command: Command) -> Command:
    """The command with the terms on which goods that it makes ready are kept, or the reminders of goods that are kept
    longer; any other as it is. The order must be locked.
    """
    if isinstance(command, TakeNodeStep) and command.step is FulfilmentStep.PACK:
        work = state.fulfilments.get(command.fulfilment_id)
        if work is not None and work.pickup:
            return command.model_copy(update={"collection": await _of_ready(connection, work.id, command.at)})
    if isinstance(command, CountAsDelivered | MoveParcel):
        work = state.fulfilments.get(command.fulfilment_id)
        delivered = isinstance(command, CountAsDelivered) or command.status is FulfilmentStatus.DELIVERED
        if work is not None and work.brought and delivered and not work.came:
            return command.model_copy(update={"collection": await _of_ready(connection, work.id, command.at)})
    if isinstance(command, KeepForCollection):
        work = state.fulfilments.get(command.fulfilment_id)
        if work is not None and work.status is FulfilmentStatus.READY:
            known = await collections.terms(connection, work.id)
            policy = Collections.model_validate(known.policy or {})
            return command.model_copy(update={"reminders": _reminders(policy, known.node, command.until)})
    return command


async def _of_ready(connection: AsyncConnection, fulfilment_id: str, at: datetime) -> Pickup:
    """Time counts from when the system hears of it, as the customer does then, too."""
    known = await collections.terms(connection, fulfilment_id)
    policy = Collections.model_validate(known.policy or {})
    since = at if known.is_replayed else known.now
    collect_by = kept_until(known.node, since, policy.keep_days)
    return Pickup(
        code=await _free_code(connection, known.node.id),
        collect_by=collect_by,
        code_required=policy.code_required,
        reminders=still_to_come(_reminders(policy, known.node, collect_by), since),
    )


def _reminders(policy: Collections, node: Node, collect_by: datetime) -> tuple[datetime, ...]:
    """At the same time of the node's day, so many days before."""
    end = collect_by.astimezone(node.zone)
    return tuple((end - timedelta(days=days)).astimezone(collect_by.tzinfo) for days in policy.remind_days_before)


async def _free_code(connection: AsyncConnection, node_id: str) -> str:
    """One that no other goods at the node have. What is written at the same moment the database refuses."""
    while await collections.is_taken(connection, node_id, code := new_code()):
        pass
    return code


def new_code() -> str:
    """A code that nobody can guess."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
