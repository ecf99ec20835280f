"""What may be asked of an order's units. What each changes, and when it is refused, is decided in
`dom.orders.transitions`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from dom.notifications.messages import Medium, MessageKind
from dom.orders.asked import AskedOf, CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.editing.changes import Change
from dom.orders.holds import BlockedStep
from dom.orders.notes import Attachments, NoteText
from dom.orders.order import Priority
from dom.orders.pickup import Pickup
from dom.orders.pickup_commands import CountWrongCode, ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.orders.requested import Requested
from dom.orders.status import FulfilmentStatus, FulfilmentStep, NodeReason
from dom.shared.access import OFL, Role
from dom.shared.base import Quantity, Text, Value


class TakeNodeStep(Requested):
    """A node says how far its work is. `found` are the units a pick found, of every line; None: all of them. `why` says
    what it is that a pick did not find, or why the work is rejected; of a rejection for what is wrong with the goods
    `found` are the units that are as they should be, None: none of them.

    `if_unbegun`: it is said in the node's name, and refused once the node has begun. Raises StepNotPossible for a step
    that does not follow on where the work stands, InvalidInput for units found that were never ordered and for lines
    that are not named.

    Goods are collected with a `code`; `identity_checked`: staff knows otherwise that it is the customer, and the reason
    says how. Raises CodeRequired, WrongCode, and CollectionLocked after too many wrong ones. `collection`: how long
    goods are kept that are ready now; who asks leaves it out.
    """

    verb: Literal["take_node_step"] = "take_node_step"
    fulfilment_id: str
    step: FulfilmentStep
    actor: str
    at: datetime
    reason: str = ""
    found: dict[str, int] | None = None
    why: NodeReason | None = None
    if_unbegun: bool = False
    code: str | None = None
    identity_checked: bool = False
    collection: Pickup | None = None


class CarrierBooked(Requested):
    """A carrier will fetch the parcel. The work goes on only if it `is_needed` and still stands packed."""

    verb: Literal["carrier_booked"] = "carrier_booked"
    fulfilment_id: str
    shipment_id: str
    carrier: str
    tracking_number: str
    price: int
    currency: str
    is_needed: bool
    at: datetime


class ShipByOwnCarrier(Requested):
    """A supplier has sent the goods with a carrier of its own, which nobody booked. Raises StepNotPossible for work
    that is packed for a carrier of ours, collected by the customer, or over; OnHold while a hold keeps the goods there.
    """

    verb: Literal["ship_by_own_carrier"] = "ship_by_own_carrier"
    fulfilment_id: str
    carrier: Text
    tracking_number: Text
    parcels: Annotated[int, Field(ge=1, le=200)] = 1
    actor: str
    at: datetime
    reason: str = ""


class BookCarrierRefused(Requested):
    """The carrier refused the booking of a packing for good: the units are sourced again. Raises StepNotPossible for
    work that is not packed, or packed anew.
    """

    verb: Literal["book_carrier_refused"] = "book_carrier_refused"
    fulfilment_id: str
    attempt: int
    reason: str
    at: datetime


class MoveParcel(Requested):
    """A carrier has the parcel, or says what became of it. Raises StepNotPossible unless it was where that follows.

    What is delivered to a store is ready for the customer there; `collection`: how long it is kept, which who asks
    leaves out. `at_store`: it was received at the store, so that a parcel to anywhere else is refused.
    """

    verb: Literal["move_parcel"] = "move_parcel"
    fulfilment_id: str
    status: Literal[
        FulfilmentStatus.HANDED_OVER, FulfilmentStatus.DELIVERED, FulfilmentStatus.LOST, FulfilmentStatus.RETURNED
    ]
    actor: str
    at: datetime
    reason: str = ""
    collection: Pickup | None = None
    at_store: bool = False


class Reship(Requested):
    """Send the units of a parcel that came back once more: they count as cancelled, and wait now to be sourced. Raises
    StepNotPossible for any other parcel: the units of a lost one are sourced again by themselves. `refunded`: units of
    it were paid back when they were inspected, so that it is refused; who asks leaves it out.
    """

    verb: Literal["reship"] = "reship"
    fulfilment_id: str
    actor: str
    at: datetime
    reason: str = ""
    refunded: bool = False


class MoveWork(Requested):
    """Give work that no node has begun to another node; None: to any other. `planned` are the fulfilments it becomes,
    with their nodes; who asks leaves it out. Raises StepNotPossible for work that is begun, ended, or collected by the
    customer, or is at the node, and OnHold while a hold blocks sourcing.
    """

    verb: Literal["move_work"] = "move_work"
    fulfilment_id: str
    node_id: str | None = None
    actor: str
    at: datetime
    reason: str = ""
    planned: dict[str, str] | None = None


class SourceWorkAgain(Requested):
    """Take work that no node has begun from its node, and source its units anew; what no node has waits. With
    `without_node` its node is not asked, and counts as one that failed the order. `attempt` is the number of the
    sourcing that follows; who asks leaves it out. Raises StepNotPossible for work that is begun, ended, or collected by
    the customer, and OnHold while a hold blocks sourcing.
    """

    verb: Literal["source_work_again"] = "source_work_again"
    fulfilment_id: str
    without_node: bool = False
    actor: str
    at: datetime
    reason: str = ""
    attempt: int | None = None


class SplitWork(Requested):
    """Make units of work that no node has begun, by line, a fulfilment of their own at the same node. `made` is its id;
    who asks leaves it out. Raises StepNotPossible for work that is begun or ended, for more units than it has and for
    all of them, InvalidInput for lines that it does not have.
    """

    verb: Literal["split_work"] = "split_work"
    fulfilment_id: str
    lines: Annotated[dict[str, Quantity], Field(min_length=1)]
    actor: str
    at: datetime
    reason: str = ""
    made: str | None = None


class MergeWork(Requested):
    """Make two fulfilments of one node, of which it has begun neither, one; `merged` is the other one. `made` is the id
    of what they become; who asks leaves it out. Raises StepNotPossible for work that is begun or ended and for work of
    another node, InvalidInput for work with itself.
    """

    verb: Literal["merge_work"] = "merge_work"
    fulfilment_id: str
    merged: str
    actor: str
    at: datetime
    reason: str = ""
    made: str | None = None


class CountAsDelivered(Requested):
    """A lost parcel arrived after all, and what was to replace it stays where it is; with `begun` also what nodes work
    on, while it has not left. Raises StepNotPossible if that is not enough for all of it. `collection`: as in
    `MoveParcel`.
    """

    verb: Literal["count_as_delivered"] = "count_as_delivered"
    fulfilment_id: str
    actor: str
    at: datetime
    reason: str
    begun: bool = False
    collection: Pickup | None = None


class CancelUnits(Requested):
    """Cancel units by line before hand-over (None: all of the line), or (None) all that are not cancelled: what is
    asked whole or nothing, unless the mode says that what is possible is enough. `nodes` are the only ones that work
    may be taken from; None for any. Raises CannotCancel for what left its node or is cancelled already (where something
    is possible and enough: only if nothing is), and Forbidden for work at another node.

    `answer_by`: until when nodes that are asked have time, by fulfilment; one that is not named has none.

    `taken_from`: which units of the lines are meant, by the fulfilment they are in or `waiting`, and line; empty: those
    that wait first, then the least advanced work. It goes with `lines` and the mode `all`.
    """

    verb: Literal["cancel_units"] = "cancel_units"
    lines: dict[str, int | None] | None
    mode: CancelMode = CancelMode.ALL
    answer_by: dict[str, datetime] = Field(default={})
    nodes: tuple[str, ...] | None = None
    taken_from: dict[str, dict[str, int]] = Field(default={})
    actor: str
    at: datetime
    reason: str = ""


class AnswerCancellation(Requested):
    """A node says whether units can be cancelled that it has picked, a carrier that it brings no parcel back, or their
    time is over. Raises NotFound for a request that is not open, StepNotPossible for one that somebody else is asked.
    """

    verb: Literal["answer_cancellation"] = "answer_cancellation"
    request_id: str
    answer: Literal[CancellationStatus.GRANTED, CancellationStatus.REFUSED, CancellationStatus.EXPIRED]
    asked_of: AskedOf = AskedOf.NODE
    actor: str
    at: datetime
    reason: str = ""


class CancelRest(Requested):
    """Cancel every unit that can still be cancelled. Raises CannotCancel if there is none."""

    verb: Literal["cancel_rest"] = "cancel_rest"
    actor: str
    at: datetime
    reason: str = ""


class GiveUpWaiting(Requested):
    """Cancel the units that wait for stock. Raises StepNotPossible if none do."""

    verb: Literal["give_up_waiting"] = "give_up_waiting"
    at: datetime
    reason: str
    actor: str = OFL


class PlaceHold(Requested):
    """Put a hold on the order; it blocks steps until it is released. What is not said (`blocks`, `owner`, `due_at`,
    `release_at`) is as the type has it. Raises StepNotPossible where a hold of the type stands already, or the order is
    over and the hold blocks no refund.
    """

    verb: Literal["place_hold"] = "place_hold"
    type: str
    blocks: frozenset[BlockedStep] = frozenset()
    actor: str
    at: datetime
    reason: str = ""
    owner: str = ""
    due_at: datetime | None = None
    release_at: datetime | None = None


class ReleaseHold(Requested):
    """Release a hold: what it alone blocked goes on. Raises NotFound for a hold that does not stand."""

    verb: Literal["release_hold"] = "release_hold"
    hold_id: str
    actor: str
    at: datetime
    reason: str = ""


class EditOrder(Requested):
    """Change the order as it was captured. All changes are made, or none.

    `revision` is that of the order which the caller saw. `roles`: what the caller is; None for our own processes.
    Raises Stale if the order was edited since, CannotChange for what is too late, Forbidden for what the caller may not
    change, InvalidInput for a line that is not the order's, or a new one's id that is taken.
    """

    verb: Literal["edit_order"] = "edit_order"
    revision: int
    changes: tuple[Change, ...]
    actor: str
    at: datetime
    reason: str = ""
    roles: frozenset[Role] | None = None


class HoldIsOverdue(Requested):
    """Nobody released a hold by the time it was due: a person hears of it, once."""

    verb: Literal["hold_is_overdue"] = "hold_is_overdue"
    hold_id: str
    at: datetime


class AddNote(Requested):
    """Write a note about the order. `key` is its own; a note that is written twice under another key is two notes."""

    verb: Literal["add_note"] = "add_note"
    key: str
    text: NoteText
    links: Attachments = ()
    actor: str
    at: datetime


class Prioritise(Requested):
    """Give the order another place among those that wait for stock; None: its channel's. `key` is the change's own.
    Raises StepNotPossible for an order that is over.
    """

    verb: Literal["prioritise"] = "prioritise"
    key: str
    priority: Priority | None
    actor: str
    at: datetime
    reason: str = ""


class ToldBefore(Value):
    """A message as it was written. `waits`: it has not gone out yet. `times`: how often it was sent once more."""

    kind: MessageKind
    medium: Medium
    message_key: str
    context: dict[str, Any]
    waits: bool
    times: int


class ResendMessage(Requested):
    """Send a message of the order once more, to who is to be told now. `told` is the message as the store holds it;
    who asks leaves it out. Raises NotFound if the order has no such message, and StepNotPossible while it has not gone
    out.
    """

    verb: Literal["resend_message"] = "resend_message"
    message_id: int
    actor: str
    at: datetime
    reason: str = ""
    told: ToldBefore | None = None


Command = Annotated[
    TakeNodeStep
    | CountWrongCode
    | KeepForCollection
    | RemindOfCollection
    | ExpireCollection
    | PutBack
    | CarrierBooked
    | ShipByOwnCarrier
    | BookCarrierRefused
    | MoveParcel
    | CountAsDelivered
    | Reship
    | MoveWork
    | SourceWorkAgain
    | SplitWork
    | MergeWork
    | CancelUnits
    | AnswerCancellation
    | CancelRest
    | GiveUpWaiting
    | PlaceHold
    | ReleaseHold
    | HoldIsOverdue
    | EditOrder
    | AddNote
    | Prioritise
    | ResendMessage,
    Field(discriminator="verb"),
]
"""Anything that may be asked of an order's units."""
