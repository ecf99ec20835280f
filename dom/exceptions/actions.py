"""What can be done about an exception in one call: what each action does, who may, and what it must know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from dom.shared.access import Scope


class ExceptionAction(StrEnum):
    """What can be done. The value is part of the address that does it; ACTIONS says what it means."""

    CANCEL_WAITING = "cancel_waiting"
    SOURCE_AGAIN = "source_again"
    REJECT_WORK = "reject_work"
    ARRIVED = "arrived"
    BOOK_IN = "book_in"
    CORRECT_STOCK = "correct_stock"
    REVIVE = "revive"


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """What an action does, the scope it needs beside `exceptions:work`, and the data an exception must have for it."""

    meaning: str
    scope: Scope
    needs: tuple[str, ...] = ()


SIGN: Final = {"too high": -1, "too low": 1}
"""By how a node's balance stands if a report is true: whether its units are to be taken out or in."""
ACTIONS: Final[Mapping[ExceptionAction, ActionInfo]] = {
    ExceptionAction.CANCEL_WAITING: ActionInfo(
        "cancels the units of the order that wait, and none that a node has", Scope.ORDERS_CANCEL
    ),
    ExceptionAction.SOURCE_AGAIN: ActionInfo(
        "has the units that wait sourced now, by the network and the policy as they are", Scope.EXCEPTIONS_WORK
    ),
    ExceptionAction.REJECT_WORK: ActionInfo(
        "takes the work from its node, as if the node had rejected it; possible until it is picked",
        Scope.FULFILMENTS_WORK,
        ("fulfilment_id",),
    ),
    ExceptionAction.ARRIVED: ActionInfo(
        "counts the lost parcel as delivered and takes its replacement back, while that has not left",
        Scope.FULFILMENTS_CORRECT,
        ("fulfilment_id",),
    ),
    ExceptionAction.BOOK_IN: ActionInfo(
        "puts the units of the parcel that came back on hand at its node, where it has no return",
        Scope.STOCK_WRITE,
        ("node_id", "units"),
    ),
    ExceptionAction.CORRECT_STOCK: ActionInfo(
        "takes the reported units out of the node's balance, or into it, as `on_hand` says",
        Scope.STOCK_WRITE,
        ("node_id", "units", "on_hand"),
    ),
    ExceptionAction.REVIVE: ActionInfo("starts the process anew, where the store stands", Scope.ORDERS_REVIVE),
}


def possible(actions: Iterable[ExceptionAction], data: Mapping[str, Any]) -> tuple[ExceptionAction, ...]:
    """Those of a kind's actions that an exception with these data allows."""
    return tuple(each for each in actions if all(data.get(name) for name in ACTIONS[each].needs) and _fits(each, data))


def _fits(action: ExceptionAction, data: Mapping[str, Any]) -> bool:
    if action is ExceptionAction.CORRECT_STOCK:
        return data["on_hand"] in SIGN
    if action is ExceptionAction.ARRIVED and "report" in data:
        return (data["report"], data.get("status")) == ("delivered", "lost")
    return True
