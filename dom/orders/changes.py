"""What a command changes of an order, as a value: units, statuses, stock, what is told, what a person looks at.

Which command changes what is decided in `dom.orders.transitions`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dom.exceptions import ExceptionKind
from dom.notifications.messages import Medium, MessageKind
from dom.orders.asked import EndedCancellation, OpenCancellation
from dom.orders.editing.changes import Change
from dom.orders.event_data import EventData
from dom.orders.events import EventKind
from dom.orders.holds import Hold
from dom.orders.lifecycle import LineState
from dom.orders.pickup import Pickup
from dom.orders.status import FulfilmentStatus, NodeReason

WAITING: Final = "waiting"
"""The place of units that wait for stock."""
CANCELLED: Final = "cancelled"
"""The place of units that are not to be sent any more."""
ADDED: Final = "added"
"""Where units come from that the order did not have."""
_NO_FULFILMENT: Final = frozenset({WAITING, ADDED, CANCELLED})


@dataclass(frozen=True, slots=True)
class MovedUnits:
    """Units of a line that change their place: from `origin` to `target`, each a fulfilment's id, WAITING or CANCELLED;
    units that are new to the order come from ADDED.

    `stay_listed`: the fulfilment they leave ends with them, and goes on listing them as what it was for.
    """

    line_id: str
    quantity: int
    origin: str
    target: str
    stay_listed: bool = False


@dataclass(frozen=True, slots=True)
class StatusMove:
    """A fulfilment comes to a status; `reason` is None where the one it has stays."""

    fulfilment_id: str
    status: FulfilmentStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ConsumeStock:
    """The fulfilment's goods left their node."""

    fulfilment_id: str


@dataclass(frozen=True, slots=True)
class ReceiveAtStore:
    """The fulfilment's goods came to the store where the customer collects them: they count as being there, and are
    reserved there.
    """

    fulfilment_id: str


@dataclass(frozen=True, slots=True)
class ReleaseStock:
    """Units of the fulfilment, by line, are not reserved any more. `wrong`: nor can they be sold, as they are not
    there or are damaged.
    """

    fulfilment_id: str
    units: Mapping[str, int]
    key: str
    reason: str
    wrong: NodeReason | None = None


@dataclass(frozen=True, slots=True)
class OwnShipment:
    """A fulfilment's goods are with a carrier that its node chose; `id` is the shipment's."""

    id: str
    fulfilment_id: str
    carrier: str
    tracking_number: str
    parcels: int


@dataclass(frozen=True, slots=True)
class GiveDayBack:
    """The fulfilment's place in its node's day is free."""

    fulfilment_id: str


StockEffect = ConsumeStock | ReceiveAtStore | ReleaseStock | GiveDayBack


@dataclass(frozen=True, slots=True)
class Notification:
    """What the customer and the channel are told; of a `medium` only who is told by it."""

    kind: MessageKind
    message_key: str
    context: Mapping[str, Any]
    medium: Medium | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a person has to look at."""

    kind: ExceptionKind
    key: str
    detail: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """The timeline's event of a change. Its key is one that the order's next change of that kind does not have."""

    kind: EventKind
    key: str
    actor: str
    at: datetime
    reason: str
    data: EventData


@dataclass(frozen=True, slots=True)
class Revision:
    """An edit: its number, counted from 1, and the changes it is made of."""

    number: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class NewPriority:
    """The order's place among those that wait for stock, a lower one first; None: its channel's."""

    priority: int | None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """All that a command changes, as a value: to be written whole, or not at all."""

    event: OrderEvent
    moved: tuple[MovedUnits, ...] = ()
    statuses: tuple[StatusMove, ...] = ()
    stock: tuple[StockEffect, ...] = ()
    notifications: tuple[Notification, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    revision: Revision | None = None
    """The order as it is captured anew by an edit."""
    new_lines: tuple[LineState, ...] = ()
    """Lines the order did not have; their units come in as moved ones do."""
    placed: Hold | None = None
    """A hold that is put on."""
    released: str | None = None
    """The id of a hold that is released."""
    overdue: str | None = None
    """The id of a hold that nobody released in time."""
    asked: tuple[OpenCancellation, ...] = ()
    """Cancellations that nodes are asked for."""
    ended: tuple[EndedCancellation, ...] = ()
    """Such requests that end."""
    priority: NewPriority | None = None
    """The order's priority from now on; None where it stays."""
    reshipped: str | None = None
    """The fulfilment whose units are to be sent once more."""
    waits: tuple[str, Pickup] | None = None
    """The fulfilment whose goods wait for their customer, and how they wait from now on."""
    put_back: str | None = None
    """The fulfilment whose goods its node has put back."""
    sent: OwnShipment | None = None
    """What a node sent with a carrier of its own."""
    step_of: str | None = None
    """The fulfilment among whose steps the change counts."""
    is_cancellation: bool = False
    """It counts among the order's cancellations, and what is left is promised as its work arrives, no later."""

    @property
    def waiting(self) -> dict[str, int]:
        """How many more units of each line wait for stock than before, below zero for fewer."""
        return self._grown(WAITING)

    @property
    def cancelled(self) -> dict[str, int]:
        """How many more units of each line are cancelled than before."""
        return self._grown(CANCELLED)

    @property
    def added(self) -> dict[str, int]:
        """Units of each line that the order did not have."""
        units: defaultdict[str, int] = defaultdict(int)
        for move in self.moved:
            units[move.line_id] += move.quantity * (move.origin == ADDED)
        return {line_id: quantity for line_id, quantity in units.items() if quantity}

    @property
    def unlisted(self) -> dict[str, dict[str, int]]:
        """Units by fulfilment and line that fulfilments do not list any more."""
        units: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for move in self.moved:
            if move.origin not in _NO_FULFILMENT and not move.stay_listed:
                units[move.origin][move.line_id] += move.quantity
        return {fulfilment_id: dict(lines) for fulfilment_id, lines in units.items()}

    @property
    def gives_up_waiting(self) -> bool:
        """Whether units stop waiting without having found a node."""
        return any(move.origin == WAITING for move in self.moved)

    def _grown(self, place: str) -> dict[str, int]:
        units: defaultdict[str, int] = defaultdict(int)
        for move in self.moved:
            units[move.line_id] += move.quantity * ((move.target == place) - (move.origin == place))
        return {line_id: quantity for line_id, quantity in units.items() if quantity}
