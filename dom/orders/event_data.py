"""What all data of events have in common, and the data of what staff does and of what becomes of scarce stock."""

from datetime import date, datetime
from typing import Literal

from dom.orders.holds import BlockedStep
from dom.orders.notes import Attachment
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


class HoldData(RequestedData):
    """A hold of an order, and the steps it blocks. Of a release `recalled` are fulfilments whose node should have sent
    them meanwhile, with their nodes: their units are sourced again.
    """

    hold_id: str
    type: str
    blocks: tuple[BlockedStep, ...]
    owner: str | None = None
    due_at: datetime | None = None
    release_at: datetime | None = None
    recalled: dict[str, str] | None = None


class NoteData(RequestedData):
    """What somebody wrote about the order, with the links that belong to it."""

    text: str
    links: tuple[Attachment, ...] | None = None


class ReshippedData(RequestedData):
    """Units of a parcel that came back, by line, which are to be sent once more."""

    fulfilment_id: str
    lines: dict[str, int]


class MovedData(RequestedData):
    """Work that was moved: from which node, to which as it was asked (none: to any other), and the fulfilments that it
    became, with their nodes.
    """

    fulfilment_id: str
    node_id: str
    to: str | None = None
    fulfilments: dict[str, str]


class SourcedAgainData(RequestedData):
    """Work that was taken from its node, and the number of the sourcing (`attempt`) that says what became of its units.
    `without_node`: the node is not asked for them.
    """

    fulfilment_id: str
    node_id: str
    without_node: bool
    attempt: int


class SplitData(RequestedData):
    """Work that was split: its node, the units by line that left it, and the fulfilment that they became."""

    fulfilment_id: str
    node_id: str
    lines: dict[str, int]
    made: str


class MergedData(RequestedData):
    """Work that was merged: both fulfilments, their node, their units by line, and the fulfilment that they became."""

    fulfilment_id: str
    node_id: str
    merged: str
    lines: dict[str, int]
    made: str


class ResentData(RequestedData):
    """A message that was sent once more: the id and key of the first, and the key of the one that was written now."""

    message_id: int
    message_kind: str
    medium: str
    message_key: str
    resent_key: str
