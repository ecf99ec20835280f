"""Holds: put on and released by people, channels, rules and time; each is one decision under the order's lock.

What the hold policy's rules say of it happens in the same transaction. The policy's rules lead nowhere in a circle, so
that they come to an end.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.holds.policy import HoldPolicy, HoldType, Trigger, check
from dom.holds.rules import HoldTrigger, RuleAnswer, Ruled, follow
from dom.orders.commands import PlaceHold, ReleaseHold
from dom.orders.lifecycle import OrderState
from dom.orders.transitions.by_time import by_time
from dom.shared.access import EXPIRY, SCREENING, Role
from dom.shared.errors import Conflict, Forbidden, InvalidInput, NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, change_order, locked
from store.holds import holds, policies
from store.orders import orders


async def carry_out(
    connection: AsyncConnection, order_id: str, command: PlaceHold | ReleaseHold, writing: Writing
) -> OrderChanged:
    """Put a hold on or release one, for somebody who may release holds of every type."""
    if isinstance(command, PlaceHold):
        return await place(connection, order_id, command, writing)
    return await release(connection, order_id, command, writing)


async def place(connection: AsyncConnection, order_id: str, command: PlaceHold, writing: Writing) -> OrderChanged:
    """Put a hold on, and do what the rules say of it. Raises NotFound, InvalidInput for a type there is not, and as the
    command says.
    """
    await locked(connection, order_id)
    _, policy = await policies.live(connection)
    changed = await change_order(connection, order_id, _completed(policy, command), writing)
    if changed.repeated:
        return changed
    return await _followed(connection, changed, HoldTrigger(Trigger.PLACED, command.type), command.at, writing)


async def release(
    connection: AsyncConnection,
    order_id: str,
    command: ReleaseHold,
    writing: Writing,
    roles: frozenset[Role] | None = None,
) -> OrderChanged:
    """Release a hold, and do what the rules say of it. Raises NotFound, StepNotPossible for one that was released
    before, and Forbidden if people of these roles may not release holds of its type. None is not asked, as time and
    rules are not.
    """
    _, policy = await policies.live(connection)
    try:
        changed = await change_order(connection, order_id, command, writing)
    except NotFound:
        if await holds.was_released(connection, order_id, command.hold_id):
            raise StepNotPossible(f"{command.hold_id} was released before") from None
        raise
    code = str(changed.data["type"])
    type_ = policy.types.get(code)
    if roles is not None and type_ is not None and not roles & frozenset(type_.released_by):
        raise Forbidden(
            f"a hold of the type {code} is released by: {', '.join(type_.released_by)}",
            data={"released_by": list(type_.released_by)},
        )
    if changed.repeated:
        return changed
    return await _followed(connection, changed, HoldTrigger(Trigger.RELEASED, code), command.at, writing)


async def heed_time(engine: AsyncEngine, now: datetime, writing: Writing) -> int:
    """Release holds of ended orders whose time is over, and say which are overdue, each in a transaction of its own;
    answers how many. Of an order that is not over its process does it.
    """
    async with engine.connect() as connection:
        due = await holds.due_of_ended_orders(connection, now)
    for order_id, hold in due:
        command = by_time(hold, now, EXPIRY)
        try:
            async with engine.begin() as connection:
                if isinstance(command, ReleaseHold):
                    await release(connection, order_id, command, writing)
                elif command is not None:
                    await change_order(connection, order_id, command, writing)
        except (NotFound, StepNotPossible):  # somebody released it
            continue
    return len(due)


async def act(
    connection: AsyncConnection, policy: HoldPolicy, order_id: str, ruled: Ruled, at: datetime, writing: Writing
) -> OrderState:
    """Do what the rules say, at least one thing; answers the order after it."""
    for answer in ruled.acts:
        command = await _command(connection, policy, order_id, answer, at)
        changed = await change_order(connection, order_id, command, writing)
    return changed.state


async def _followed(
    connection: AsyncConnection, changed: OrderChanged, happening: HoldTrigger, at: datetime, writing: Writing
) -> OrderChanged:
    _, policy = await policies.live(connection)
    if not any(rule.on is happening.trigger and rule.hold == happening.hold for rule in policy.rules):
        return changed
    order_id = changed.state.order_id
    order = await orders.document(connection, order_id)
    standing = frozenset(hold.type for hold in changed.state.holds.values())
    ruled = follow(policy, order, happening, standing)
    if not ruled.acts:
        return changed
    return OrderChanged(await act(connection, policy, order_id, ruled, at, writing), changed.data)


async def _command(
    connection: AsyncConnection, policy: HoldPolicy, order_id: str, answer: RuleAnswer, at: datetime
) -> PlaceHold | ReleaseHold:
    rule = answer.rule
    reason = f"rule {rule.name}" + (f" could not be judged: {answer.failure}" if answer.failure else "")
    if rule.place is not None:
        return _completed(policy, PlaceHold(type=rule.place, actor=SCREENING, at=at, reason=reason))
    held = await holds.standing_of_type(connection, order_id, str(rule.release))
    return ReleaseHold(hold_id=held, actor=SCREENING, at=at, reason=reason)


def _completed(policy: HoldPolicy, command: PlaceHold) -> PlaceHold:
    """The command with what belongs to the type, where it does not say otherwise."""
    type_ = _type(policy, command.type)
    return command.model_copy(
        update={
            "blocks": command.blocks or frozenset(type_.blocks),
            "owner": command.owner or type_.owner_role,
            "due_at": command.due_at or _after(command.at, type_.due_after_minutes),
            "release_at": command.release_at or _after(command.at, type_.release_after_minutes),
        }
    )


def _type(policy: HoldPolicy, code: str) -> HoldType:
    found = policy.types.get(code)
    if found is None:
        raise InvalidInput(f"there is no type of hold {code}", field="type", data={"types": sorted(policy.types)})
    return found


def _after(at: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else at + timedelta(minutes=minutes)


async def must_exist(connection: AsyncConnection, order_id: str) -> None:
    """Raises NotFound for an order that the store does not hold."""
    if await orders.find(connection, order_id) is None:
        raise NotFound(f"there is no order {order_id}")


async def write_policy(
    connection: AsyncConnection, policy: HoldPolicy, *, by: str, comment: str, based_on: int | None
) -> int:
    """Write a hold policy as the next version, and answer that. It counts from the next order on; holds that stand
    stay as they are. Raises InvalidInput, with all mistakes, and Conflict if another version than `based_on` is live.
    """
    check(policy)
    await policies.one_at_a_time(connection)
    version, live = await policies.live(connection)
    if based_on is not None and based_on != version:
        raise Conflict(f"version {version} is live, not {based_on}", field="based_on", data={"live": version})
    if live == policy:
        return version
    await policies.write(connection, policy, version + 1, by=by, comment=comment)
    return version + 1


async def policy_of(connection: AsyncConnection, version: int | None = None) -> tuple[int, HoldPolicy]:
    """The live hold policy, or that of a version, with its version. Raises NotFound."""
    if version is None:
        return await policies.live(connection)
    found = await policies.get(connection, version)
    if found is None:
        raise NotFound(f"there is no version {version} of the hold policy")
    return version, found
