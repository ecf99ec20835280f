"""What can be done about an exception in one call, by the use case or the process that does it.

An action is bound to the version of the exception that was seen, and is not done twice for one.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import WorkflowAlreadyStartedError

from dom.exceptions import ACTIONS, ExceptionAction, ExceptionKind, info_of
from dom.exceptions.actions import possible
from dom.exceptions.desk import must_be, must_be_open
from dom.orders.calls import ArrivedCall
from dom.shared.access import Principal
from dom.shared.errors import Forbidden, NotFound, StepNotPossible
from processes.client import Durable
from processes.consistency import Living
from processes.orders import OrderProcesses
from processes.revival import revive
from services import exception_actions, exceptions_desk
from services.change_orders import Writing
from services.exceptions_desk import Asked
from store.desk import changes
from store.desk.changes import FoundException

_OF_AN_ORDER: Final = frozenset({ExceptionKind.BACKORDER_NO_PROCESS, ExceptionKind.REOPTIMISED_NO_PROCESS})
"""Kinds about an order's process whose keys do not name what they are about."""


class ExceptionActions:
    """Carries out actions. `webhooks`: a webhook is told what customers are told."""

    def __init__(self, durable: Durable, engine: AsyncEngine, orders: OrderProcesses, *, webhooks: bool) -> None:
        self._durable = durable
        self._engine = engine
        self._orders = orders
        self._writing = Writing(webhook=webhooks, notify=True)

    async def carry_out(self, asked: Asked, action: ExceptionAction, who: Principal) -> None:
        """Do it, and close the exception if that ends the trouble. A repeat changes nothing.

        Raises NotFound for no such exception and for an action that it does not have, Forbidden without the action's
        scope and for what is of another's node, Stale if the exception has changed since it was seen, StepNotPossible
        if it is closed, and what the use case raises.
        """
        info = ACTIONS[action]
        if not who.has(info.scope):
            raise Forbidden(
                f"{action} needs the scope {info.scope}, which {who.name} does not have", data={"scope": info.scope}
            )
        async with self._engine.connect() as connection:
            found = await changes.find(connection, asked.exception_id, asked.limits)
            if found is None:
                raise exceptions_desk.no_such(asked.exception_id)
            if action not in possible(info_of(found.state.kind).actions, found.data):
                raise NotFound(f"there is no action {action} for exception {asked.exception_id}")
            if not asked.limits.allow(node=found.data.get("node_id")):
                raise Forbidden(f"{who.name} has no access to {found.data['node_id']}")
            if await exceptions_desk.was_done(connection, found, asked, action):
                return
        must_be(found.state, asked.seen)
        must_be_open(found.state)
        if action is ExceptionAction.ARRIVED:
            call = ArrivedCall(fulfilment_id=found.data["fulfilment_id"], actor=asked.actor, occurred_at=asked.at)
            await self._orders.arrived(call)
            await self._settle(asked, action)
        elif action is ExceptionAction.REVIVE:
            await self._revive(found, asked)
            await self._settle(asked, action)
        else:
            async with self._engine.begin() as connection:
                await exception_actions.carry_out(connection, found, asked, action, self._writing)

    async def _settle(self, asked: Asked, action: ExceptionAction) -> None:
        """It is done: whoever changed the exception meanwhile holds nothing back, nor does its own end."""
        async with self._engine.begin() as connection:
            now = await exceptions_desk.locked(connection, asked)
            await exceptions_desk.acted(connection, now, asked, action)
            if now.state.is_open:
                await exception_actions.resolve(connection, now, replace(asked, seen=now.state.version), action)

    async def _revive(self, found: FoundException, asked: Asked) -> None:
        about = found.order_id if found.state.kind in _OF_AN_ORDER else found.business_key.rsplit(":", 2)[0]
        await self._durable.reach()
        client, task_queue = self._durable.client, self._durable.task_queue
        fault = await Living(self._engine, client, task_queue).of(about or "")
        if fault is None:
            raise StepNotPossible(f"{about} has a process that agrees with the store, or is over")
        with suppress(WorkflowAlreadyStartedError):  # somebody else was faster
            await revive(self._engine, client, task_queue, fault, asked.actor)
