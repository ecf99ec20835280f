"""What may be asked of an order in which state, and by whom, as a page: `python -m tools.command_matrix`.

Every cell is what `decide` answers; `tests/store/orders/test_command_matrix.py` asks the store for each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from dom.orders import commands as all_commands
from dom.orders.commands import Command
from dom.orders.editing.rules import RULES
from dom.orders.lifecycle import FulfilmentState, LineState, OrderState
from dom.orders.status import FulfilmentStatus
from dom.orders.transitions import apply, decide, is_known
from dom.shared.access import SCOPES, Role
from dom.shared.errors import DomError
from tools.commands_asked import ASKS, Ask, path_of

PAGE: Final = Path(__file__).parent.parent / "docs" / "commands.md"
AT: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
YES: Final = "yes"
REPEAT: Final = "repeat"
_S = FulfilmentStatus

TO_STORE: Final = ("to_store", "at_store")
"""A carrier has them for the store where they are collected, and brought them there."""
STATES: Final = ("waiting", *map(str, (
    _S.RELEASED, _S.ACCEPTED, _S.PICKED, _S.PACKED, _S.BOOKED, _S.HANDED_OVER, _S.DELIVERED, _S.LOST, _S.RETURNED,
    _S.REJECTED, _S.READY, _S.COLLECTED,
)), "not_collected", *TO_STORE, "cancelled", "held", "asked")  # fmt: skip
"""`waiting`: all units wait for stock. `not_collected`: nobody collected them in time. `cancelled`: all are.
`held`: a hold blocks the release to the node.
`asked`: the node picked it, and is asked for its cancellation. The others:
all units are in one fulfilment that came to this status; what was lost or rejected waits again.
"""


@dataclass(frozen=True, slots=True)
class Names:
    """What the commands name: the order, its fulfilment, and its lines in sequence."""

    order_id: str
    fulfilment_id: str
    line_id: str = "1"


def state_of(name: str, names: Names) -> OrderState:
    """An order of two units of one SKU in this state."""
    state = OrderState(names.order_id, {names.line_id: LineState(names.line_id, "A", 2, 1000, backordered=2)})
    if name == "waiting":
        return state
    pickup = name in {_S.READY, _S.COLLECTED, "not_collected"}
    store = "st-york" if name in TO_STORE else None
    state.add(FulfilmentState(names.fulfilment_id, "dc", pickup=pickup, lines={names.line_id: 2}, pickup_node=store))
    for command in path_of(name, names.fulfilment_id, AT):
        state = apply(state, decide(state, command))
    return state


def outcome(state: OrderState, command: Command) -> str:
    """`yes`, `repeat` for what is known already, or the type of the refusal."""
    try:
        if is_known(state, command):
            return REPEAT
        decide(state, command)
    except DomError as error:
        return error.type
    return YES


def cells() -> Iterator[tuple[Ask, str, str]]:
    """Each ask, each state, and what comes of it."""
    names = Names("web-1", "web-1-F1")
    for ask in ASKS:
        for name in STATES:
            state = state_of(name, names)
            yield ask, name, outcome(state, ask.command(names.fulfilment_id, names.line_id, AT, state))


def asked_for() -> set[type]:
    """The commands that the page is about."""
    state = state_of(str(_S.RELEASED), Names("web-1", "web-1-F1"))
    return {type(ask.command("web-1-F1", "1", AT, state)) for ask in ASKS}


def known() -> set[type]:
    """Every command there is."""
    union, *_ = get_args(all_commands.Command)
    return set(get_args(union))


INTRODUCTION: Final = """# What may be asked of an order, and when

Made by `python -m tools.command_matrix` from `dom/orders/transitions`, which decides it, and `dom/shared/access.py`.
Each cell is asked of the store by `tests/store/orders/test_command_matrix.py`.

The order has two units of one SKU. `waiting`: both wait for stock. `not_collected`: both were ready, and are cancelled
as nobody collected them in time. `to_store`: a carrier has both for the store where they are collected. `at_store`: it
brought them there, and they are ready. `cancelled`: both are cancelled. `held`: a hold blocks the release to the node.
`asked`: the node has picked both, and is asked whether they can be cancelled. In the other columns both are in one
fulfilment that came to this status; units of one that was lost, or rejected, wait again.

`yes`: it is done. `repeat`: it is known already, and answered as done. `no`: 409 `step-not-possible`. Other refusals
stand there by the last part of their type. Fulfilments and holds that are named are those of the order; of one that is
not there the answer is 404 `not-found`. The pick-up node is that of an order that is collected; of another one it is
`invalid-input`.
"""
_SHORT: Final[Mapping[str, str]] = {"step-not-possible": "no"}


def page() -> str:
    """The page as it should stand."""
    lines = [INTRODUCTION, "| command | " + " | ".join(STATES) + " |", "|---" * (len(STATES) + 1) + "|"]
    rows: dict[str, list[str]] = {}
    for ask, _, said in cells():
        rows.setdefault(ask.name, []).append(_SHORT.get(said, said))
    lines += [f"| {name} | " + " | ".join(said) + " |" for name, said in rows.items()]
    lines += ["", "## By whom", "", _WHO, "", "| command | " + " | ".join(Role) + " |", "|---" * (len(Role) + 1) + "|"]
    lines += [f"| {ask.name} | " + " | ".join(_may(ask, role) for role in Role) + " |" for ask in ASKS]
    return "\n".join(lines) + "\n"


_WHO: Final = """By the scopes of each role; some changes of an order a channel may make only until its work comes to a
status. What is a caller's own, and what another's is answered as if it were not there, says [access.md](access.md).
`system`: our own processes alone. A hold is released by the roles that its type names."""


def _may(ask: Ask, role: Role) -> str:
    if ask.scope is None:
        return "system"
    if not {ask.scope, ask.also} & SCOPES[role]:
        return ""
    if ask.edit is None:
        return YES
    until = RULES[ask.edit].until
    return f"until {until[role]}" if role in until else ""


def main() -> int:
    """Writes the page."""
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
