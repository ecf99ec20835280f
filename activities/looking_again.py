"""The second look, from the order's side: what it changed is taken into the order's process."""

from dataclasses import dataclass
from enum import StrEnum

from temporalio import activity

from activities.boundary import Database
from activities.sourcing import Released
from dom.shared.base import Value
from store.sourcing import reoptimisation


class Answer(StrEnum):
    """What an activity answers when it wrote nothing."""

    RECALLED = "recalled"
    """A second look took the work back, and the process does not know it yet."""


class TakeIn(Value):
    """What second looks changed of an order, after the one of that number."""

    order_id: str
    after: int


class Look(Value):
    """One second look: the fulfilments it took back, and those that have their units now."""

    number: int
    recalled: tuple[str, ...]
    released: tuple[Released, ...]


class Looks(Value):
    """Second looks in their sequence."""

    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class LookingAgain:
    """Second looks at an order's work."""

    database: Database

    @activity.defn(name="take_in_second_looks")
    async def take_in_second_looks(self, request: TakeIn) -> Looks:
        """Read what changed, and note that the order's process has it. Asked again, it answers the same."""
        async with self.database.transaction() as connection:
            rows = await reoptimisation.taken_in(connection, request.order_id, request.after)
        return Looks(looks=tuple(Look(number=number, **document) for number, document in rows))
