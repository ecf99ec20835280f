"""Watches on milestones: "not at X within so long of Y" opens an exception by itself.

X and Y are kinds of events in an order's timeline, of one thing: the order, a fulfilment of it, or a return. Which may
follow which is a graph without circles; a watch whose X cannot come after its Y would always or never be missed, and is
refused.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

from pydantic import Field

from dom.exceptions import ExceptionSeverity, OwnerRole
from dom.orders.events import EventKind
from dom.shared.base import Text, Value
from dom.shared.errors import InvalidInput

_K = EventKind

LOOK_BACK: Final = timedelta(days=7)
"""How old a deadline can be that a new watch still looks at."""


class WatchedThing(StrEnum):
    """What a watch is about: the thing whose events it follows."""

    ORDER = "order"
    FULFILMENT = "fulfilment"
    RETURN = "return"


RELEASES: Final = frozenset({_K.ACCEPTED, _K.SOURCED, _K.REOPTIMISED})
"""Events of an order that release fulfilments to their nodes: each begins the life of those it names."""
_FOLLOWS: Final[Mapping[WatchedThing, Mapping[EventKind, frozenset[EventKind]]]] = {
    WatchedThing.ORDER: {
        _K.ACCEPTED: frozenset({_K.SOURCED, _K.REOPTIMISED, _K.CANCELLED}),
        _K.SOURCED: frozenset({_K.REOPTIMISED, _K.CANCELLED}),
        _K.REOPTIMISED: frozenset({_K.CANCELLED}),
    },
    WatchedThing.FULFILMENT: {
        **dict.fromkeys(RELEASES, frozenset({_K.FULFILMENT_ACCEPTED})),
        _K.FULFILMENT_ACCEPTED: frozenset({_K.FULFILMENT_PICKED}),
        _K.FULFILMENT_PICKED: frozenset({_K.FULFILMENT_PACKED, _K.FULFILMENT_READY}),
        _K.FULFILMENT_PACKED: frozenset({_K.CARRIER_BOOKED}),
        _K.CARRIER_BOOKED: frozenset({_K.FULFILMENT_HANDED_OVER}),
        _K.FULFILMENT_HANDED_OVER: frozenset({_K.FULFILMENT_DELIVERED}),
        _K.FULFILMENT_READY: frozenset({_K.FULFILMENT_COLLECTED}),
    },
    WatchedThing.RETURN: {
        _K.RETURN_REQUESTED: frozenset({_K.RETURN_RECEIVED}),
        _K.RETURN_RECEIVED: frozenset({_K.RETURN_REFUNDED, _K.RETURN_PUT_AWAY}),
        _K.RETURN_REFUNDED: frozenset({_K.RETURN_CLOSED}),
        _K.RETURN_PUT_AWAY: frozenset({_K.RETURN_CLOSED}),
    },
}
"""By subject, what may come next after an event. A step may be left out by whoever reports a later one."""
_AS_GOOD: Final[Mapping[EventKind, frozenset[EventKind]]] = {
    _K.FULFILMENT_PACKED: frozenset({_K.FULFILMENT_READY, _K.FULFILMENT_COLLECTED}),
    _K.CARRIER_BOOKED: frozenset({_K.FULFILMENT_READY, _K.FULFILMENT_COLLECTED}),
    _K.FULFILMENT_HANDED_OVER: frozenset({_K.FULFILMENT_COLLECTED}),
    _K.FULFILMENT_DELIVERED: frozenset({_K.FULFILMENT_COLLECTED}),
    _K.RETURN_REFUNDED: frozenset({_K.RETURN_PUT_AWAY}),
}
"""What is as good as a milestone: of a parcel where the customer collects, of a refund where the goods were sent again.
"""


@cache
def later(subject: WatchedThing, kind: EventKind) -> frozenset[EventKind]:
    """The events that may come after one, for the same thing, at once or later."""
    found: set[EventKind] = set()
    for following in _FOLLOWS[subject].get(kind, ()):
        found |= {following} | later(subject, following)
    return frozenset(found)


class Watch(Value):
    """ "Not at `milestone` within `within_minutes` of `after`": whoever is to do something about it hears of it then.

    With several events in `after` the time counts from any of them, and anew from each. It counts from when the system
    heard of the event.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", examples=["not-accepted"])]
    description: Text
    subject: WatchedThing = Field(description="What is watched: each order, each fulfilment, or each return.")
    after: Annotated[tuple[EventKind, ...], Field(min_length=1, max_length=10)] = Field(
        description="Events from which the time counts. Of a fulfilment also those of the order that release it."
    )
    milestone: EventKind = Field(description="The event that is to have happened by then, or one that comes after it.")
    within_minutes: Annotated[int, Field(ge=5, le=366 * 24 * 60)] = Field(description="Minutes until it is missed.")
    severity: ExceptionSeverity = Field(default=ExceptionSeverity.MAJOR, description="How bad it is to miss it.")
    owner_role: OwnerRole = Field(default=OwnerRole.OPERATOR, description="In whose queue what was missed stands.")
    active: bool = Field(default=True, description="Whether it opens exceptions; those it opened close if not.")

    @property
    def reached_by(self) -> frozenset[EventKind]:
        """The events that show that it is reached: the milestone, what comes after it, and what comes in its place."""
        kind = self.milestone
        return frozenset({kind}) | later(self.subject, kind) | _AS_GOOD.get(kind, frozenset())

    @property
    def reached_at_store_by(self) -> frozenset[EventKind]:
        """The events that show it as well of goods that a carrier brings to a store for their customer: they are
        delivered once they are ready there.
        """
        return frozenset({_K.FULFILMENT_READY} if self.milestone is _K.FULFILMENT_DELIVERED else ())


def check(watch: Watch) -> None:
    """Raises InvalidInput for a watch that waits for itself, for what comes before, or for what is of another thing."""
    known = _FOLLOWS[watch.subject]
    kinds = set(known) | {each for following in known.values() for each in following}
    for place, kind in enumerate(watch.after):
        field = f"after[{place}]"
        if kind not in known:
            raise InvalidInput(f"nothing of {_a(watch.subject)} is waited for after {kind}", field=field)
        if kind in watch.after[:place]:
            raise InvalidInput(f"{kind} stands twice", field=field)
        if kind is watch.milestone:
            raise InvalidInput(f"{kind} would wait for itself", field=field)
        if watch.milestone in kinds and kind in later(watch.subject, watch.milestone):
            raise InvalidInput(f"{kind} comes after {watch.milestone}, never before it", field=field)
        if watch.milestone in kinds and watch.milestone not in later(watch.subject, kind):
            raise InvalidInput(f"{watch.milestone} never comes after {kind}", field=field)
    if watch.milestone not in kinds:
        raise InvalidInput(f"{watch.milestone} is no milestone of {_a(watch.subject)}", field="milestone")


def _a(subject: WatchedThing) -> str:
    return f"an {subject}" if subject is WatchedThing.ORDER else f"a {subject}"


def in_words(watch: Watch) -> str:
    """What is missed, after the name of the thing: "is not ... within ... of ..."."""
    after = " or ".join(kind.value.replace("_", " ") for kind in watch.after)
    return f"is not at {watch.milestone.value.replace('_', ' ')} within {span(watch.within_minutes)} of {after}"


def span(minutes: int) -> str:
    """Minutes as people say them: in days or hours where that is a whole number of them."""
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes % size == 0:
            return f"{minutes // size} {unit}{'' if minutes == size else 's'}"
    return f"{minutes} minutes"
