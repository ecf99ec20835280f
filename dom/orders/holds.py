"""Holds that stand on an order: each blocks steps until it is released."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dom.shared.errors import OnHold


class BlockedStep(StrEnum):
    """A step that a hold can block. Only that step waits; what came before it stays, and its stock stays reserved."""

    SOURCING = "sourcing"
    """No node is chosen and no stock is reserved."""
    RELEASE = "release"
    """Work that no node has begun stands in no work list."""
    HAND_OVER = "hand_over"
    """Goods leave no node: not to the carrier, and not to who collects them."""
    REFUND = "refund"
    """No refund of a return is recorded."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that stands. After `release_at` it ends by itself; after `due_at` a person hears of it, once."""

    id: str
    type: str
    blocks: frozenset[BlockedStep]
    due_at: datetime | None = None
    release_at: datetime | None = None
    overdue: bool = False
    """A person heard that nobody released it in time."""


def blocking(holds: Iterable[Hold], step: BlockedStep) -> tuple[Hold, ...]:
    """Those of the holds that block the step."""
    return tuple(hold for hold in holds if step in hold.blocks)


def must_not_block(holds: Iterable[Hold], step: BlockedStep, what: str) -> None:
    """Raises OnHold, naming the holds, if some block the step."""
    found = blocking(holds, step)
    if found:
        named = ", ".join(sorted(hold.type for hold in found))
        raise OnHold(
            f"{what} waits: the order is on hold ({named})",
            data={"holds": [{"hold_id": hold.id, "type": hold.type} for hold in found]},
        )
