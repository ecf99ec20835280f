"""Which change of an order is possible, for whom, and until when: one table, for deciding and for screens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dom.orders.editing.changes import Change, EditKind
from dom.orders.lifecycle import PROGRESS, FulfilmentState, OrderState
from dom.orders.status import FINAL_ORDER, FulfilmentStatus, OrderStatus
from dom.shared.access import Role
from dom.shared.errors import CannotChange, Forbidden

_S = FulfilmentStatus


class ChangeLevel(StrEnum):
    """What a change concerns."""

    ORDER = "order"
    """All work that has not left its node."""
    LINE = "line"
    """Work on the line's units."""
    UNITS = "units"
    """Units that are added, and no work there is."""


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """Until which status of the work that it concerns each role may make a change, and what else could be done."""

    level: ChangeLevel
    until: Mapping[Role, FulfilmentStatus]
    instead: str


def _until(status: FulfilmentStatus, channel: FulfilmentStatus = _S.RELEASED) -> dict[Role, FulfilmentStatus]:
    return {Role.CHANNEL: channel} | dict.fromkeys((Role.SUPPORT, Role.SUPERVISOR, Role.OPERATOR), status)


_ORDER_ANEW: Final = "cancel what is begun and order it anew"
RULES: Final[Mapping[EditKind, ChangeRule]] = {
    EditKind.SET_QUANTITY: ChangeRule(ChangeLevel.LINE, _until(_S.READY), "return units once they are delivered"),
    EditKind.ADD_LINE: ChangeRule(ChangeLevel.UNITS, _until(_S.READY, _S.READY), "place another order"),
    EditKind.REMOVE_LINE: ChangeRule(ChangeLevel.LINE, _until(_S.READY), "return the units once they are delivered"),
    EditKind.SWAP_SKU: ChangeRule(ChangeLevel.LINE, _until(_S.READY), "return the units and place another order"),
    EditKind.SUBSTITUTE: ChangeRule(ChangeLevel.LINE, _until(_S.READY), "return the units and place another order"),
    EditKind.SET_SHIP_TO: ChangeRule(ChangeLevel.ORDER, _until(_S.BOOKED), "ask the carrier to deliver elsewhere"),
    EditKind.SET_SHIPPING_METHOD: ChangeRule(ChangeLevel.ORDER, _until(_S.RELEASED), _ORDER_ANEW),
    EditKind.SET_REQUESTED_BY: ChangeRule(ChangeLevel.ORDER, _until(_S.RELEASED), _ORDER_ANEW),
    EditKind.SET_PICKUP_NODE: ChangeRule(ChangeLevel.ORDER, _until(_S.RELEASED), _ORDER_ANEW),
    EditKind.SET_TAGS: ChangeRule(ChangeLevel.UNITS, _until(_S.READY, _S.READY), "nothing: what is over stays so"),
    EditKind.SET_SHIP_COMPLETE: ChangeRule(
        ChangeLevel.UNITS, _until(_S.READY, _S.READY), "nothing: what is over stays so"
    ),
}
"""Every change with its rule."""


@dataclass(frozen=True, slots=True)
class Possibility:
    """A change of the order, or of one of its lines: why it is not possible now (empty: it is), and what else is."""

    change: EditKind
    line_id: str | None
    why: str
    instead: str


_OF_A_LINE: Final = frozenset({EditKind.SET_QUANTITY, EditKind.REMOVE_LINE, EditKind.SWAP_SKU, EditKind.SUBSTITUTE})


def possible(state: OrderState, roles: Iterable[Role]) -> list[Possibility]:
    """Every change with whether callers with these roles may make it now."""
    mine = list(roles)
    living = [line.line_id for line in state.lines.values() if line.quantity > line.cancelled]
    return [
        Possibility(kind, line_id, _why_not(state, kind, line_id, mine) or "", rule.instead)
        for kind, rule in RULES.items()
        for line_id in (living if kind in _OF_A_LINE else [None])
    ]


def must_be_possible(state: OrderState, change: Change, roles: Iterable[Role] | None, place: str = "") -> None:
    """Raises Forbidden where no role of the caller ever makes such a change, CannotChange where it is too late.

    `roles` None: our own processes, which may do what support may. `place` is the change's own in the request.
    """
    kind, rule = change.change, RULES[change.change]
    if roles is not None and not any(role in rule.until for role in roles):
        raise Forbidden(f"a change of {kind} is made by: {', '.join(rule.until)}", field=place or None)
    why = _why_not(state, kind, getattr(change, "line_id", None), roles)
    if why is not None:
        raise CannotChange(
            f"{why}: {kind} cannot be changed any more",
            field=place or None,
            data={"change": kind, "level": rule.level, "instead": rule.instead},
        )


def _why_not(state: OrderState, kind: EditKind, line_id: str | None, roles: Iterable[Role] | None) -> str | None:
    """Why the change is not possible now; None if it is."""
    rule = RULES[kind]
    mine = rule.until.values() if roles is None else [rule.until[role] for role in roles if role in rule.until]
    status = state.status()
    if not mine:
        return f"made by: {', '.join(rule.until)}"
    if status in FINAL_ORDER or status is OrderStatus.SHIPPED:
        return f"the order is {status}"
    until = max(PROGRESS[each] for each in mine)
    late = next((work for work in _concerned(state, rule.level, line_id) if PROGRESS[work.status] > until), None)
    return None if late is None else f"{late.id} is {late.status}"


def _concerned(state: OrderState, level: ChangeLevel, line_id: str | None) -> list[FulfilmentState]:
    """The work that a change concerns: what has not left its node; if all has left, all of it."""
    if level is ChangeLevel.UNITS:
        return []
    works = [work for work in state.living if level is ChangeLevel.ORDER or work.lines.get(line_id or "")]
    waits = state.backordered if level is ChangeLevel.ORDER else line_id in state.waiting
    return [work for work in works if work.cancellable] or ([] if waits else works)
