"""What all data of events have in common, and the data of what becomes of scarce stock."""

from datetime import date, datetime
from typing import Literal

from dom.shared.base import Value


class EventData(Value):
    """What belongs to an event. A field that is None is not stored."""


class RequestedData(EventData):
    """Of what may be asked more than once: the asker's id of the request, and its content."""

    request: str | None = None
    request_hash: str | None = None


class PrioritisedData(RequestedData):
    """The order's priority from then on, and the one before; none: its channel's."""

    priority: int | None = None
    before: int | None = None


class ReallocatedData(EventData):
    """Units of a SKU that one order gave to another, as one of them tells it: what it did (`role`), who the others are,
    which units of its own, by line, and at which node they lay. `fulfilments` are its new ones with their nodes;
    `due_on`: it waits for goods that are due at `waits_for` then, and stands first for them.

    `promised` is what its customer was told, or wants; `before` and `after` are when the goods would arrive without the
    change (none: nothing known of brings them) and with it. Of who gives, `extra` is what its new plan costs more; of
    who gets, `gain` is what all of it gains. Amounts are in minor units of `currency`, `weight` is that of its class.
    """

    role: Literal["gave", "got"]
    others: tuple[str, ...]
    sku: str
    lines: dict[str, int]
    node_id: str
    fulfilments: dict[str, str] | None = None
    waits_for: str | None = None
    due_on: date | None = None
    promised: datetime
    before: datetime | None = None
    after: datetime
    customer_class: str
    weight: float
    extra: int | None = None
    lateness_avoided: int | None = None
    gain: int | None = None
    currency: str
    policy_version: int
