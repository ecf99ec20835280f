"""Every command as the page of commands asks it, and the commands that lead to a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dom.network import ShippingMethod
from dom.notifications.messages import Medium, MessageKind
from dom.orders.asked import CancellationStatus
from dom.orders.cancellation import CancelMode
from dom.orders.commands import (
    AddNote,
    AnswerCancellation,
    BookCarrierRefused,
    CancelRest,
    CancelUnits,
    CarrierBooked,
    Command,
    CountAsDelivered,
    EditOrder,
    GiveUpWaiting,
    HoldIsOverdue,
    MergeWork,
    MoveParcel,
    MoveWork,
    PlaceHold,
    Prioritise,
    ReleaseHold,
    ResendMessage,
    Reship,
    ShipByOwnCarrier,
    SourceWorkAgain,
    SplitWork,
    TakeNodeStep,
    ToldBefore,
)
from dom.orders.editing import changes
from dom.orders.editing.changes import Change, EditKind
from dom.orders.holds import BlockedStep
from dom.orders.lifecycle import OrderState
from dom.orders.order import ShipTo
from dom.orders.pickup import Pickup
from dom.orders.pickup_commands import CountWrongCode, ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.shared import ids
from dom.shared.access import Scope

_S, _Step = FulfilmentStatus, FulfilmentStep
_Make = Callable[[str, str, datetime, OrderState], Command]


@dataclass(frozen=True, slots=True)
class Ask:
    """A row of the page: a command by its name, and the scope that a caller needs; None: no caller asks it."""

    name: str
    scope: Scope | None
    command: _Make
    edit: EditKind | None = None
    also: Scope | None = None
    """Another scope that is enough."""


def _step(step: FulfilmentStep) -> Ask:
    def make(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
        return TakeNodeStep(fulfilment_id=fulfilment_id, step=step, actor="node", at=at)

    return Ask(step.value.replace("_", " "), Scope.FULFILMENTS_WORK, make)


def _collect(fulfilment_id: str, _: str, at: datetime, state: OrderState) -> Command:
    code = _pickup(state, at).code
    return TakeNodeStep(fulfilment_id=fulfilment_id, step=_Step.COLLECT, code=code, actor="node", at=at)


def _collect_wrongly(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return TakeNodeStep(fulfilment_id=fulfilment_id, step=_Step.COLLECT, code="wrong", actor="node", at=at)


def _collected(fulfilment_id: str, at: datetime) -> Command:
    told = {"fulfilment_id": fulfilment_id, "actor": "support", "at": at}
    return TakeNodeStep(step=_Step.COLLECT, identity_checked=True, reason="passport", **told)


def _keep(fulfilment_id: str, _: str, at: datetime, state: OrderState) -> Command:
    until = _pickup(state, at).collect_by + timedelta(days=1)
    return KeepForCollection(fulfilment_id=fulfilment_id, until=until, actor="support", at=at)


def _remind(fulfilment_id: str, _: str, at: datetime, state: OrderState) -> Command:
    return RemindOfCollection(fulfilment_id=fulfilment_id, at=_pickup(state, at).reminders[0])


def _expire(fulfilment_id: str, _: str, at: datetime, state: OrderState) -> Command:
    return ExpireCollection(fulfilment_id=fulfilment_id, at=_pickup(state, at).collect_by)


def _pickup(state: OrderState, at: datetime) -> Pickup:
    """How the goods wait; where they do not, as they could."""
    waiting = [each.collection for each in state.fulfilments.values() if each.collection is not None]
    return waiting[0] if waiting else _kept(at)


def _kept(at: datetime) -> Pickup:
    return Pickup(code="2345BC", collect_by=at + timedelta(days=7), reminders=(at + timedelta(days=5),))


def _parcel(status: FulfilmentStatus, name: str) -> Ask:
    def make(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
        return MoveParcel(fulfilment_id=fulfilment_id, status=status, actor="carrier", at=at)

    by_staff = Scope.FULFILMENTS_CORRECT if status in {_S.LOST, _S.DELIVERED} else None
    return Ask(name, Scope.SHIPMENTS_REPORT, make, also=by_staff)


def _received(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return MoveParcel(fulfilment_id=fulfilment_id, status=_S.DELIVERED, at_store=True, actor="store", at=at)


def _booked(fulfilment_id: str, at: datetime, booking: int) -> Command:
    return CarrierBooked(
        fulfilment_id=fulfilment_id,
        shipment_id=ids.booking_key(fulfilment_id, booking),
        carrier="test",
        tracking_number="T",
        price=100,
        currency="GBP",
        is_needed=True,
        at=at,
    )


def _ship(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    told = {"fulfilment_id": fulfilment_id, "actor": "node", "at": at}
    return ShipByOwnCarrier(carrier="colis-nord", tracking_number="CN4711FR", **told)


def _refused(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return BookCarrierRefused(fulfilment_id=fulfilment_id, attempt=1, reason="refused", at=at)


def _arrived(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return CountAsDelivered(fulfilment_id=fulfilment_id, actor="support", at=at, reason="arrived", begun=True)


def _reship(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return Reship(fulfilment_id=fulfilment_id, actor="support", at=at)


def _move(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return MoveWork(fulfilment_id=fulfilment_id, actor="support", at=at)


def _source_again(fulfilment_id: str, _: str, at: datetime, __: OrderState) -> Command:
    return SourceWorkAgain(fulfilment_id=fulfilment_id, actor="support", at=at)


def _split(fulfilment_id: str, line_id: str, at: datetime, __: OrderState) -> Command:
    return SplitWork(fulfilment_id=fulfilment_id, lines={line_id: 1}, actor="support", at=at)


def _merge(fulfilment_id: str, _: str, at: datetime, state: OrderState) -> Command:
    other = ids.fulfilment_id(state.order_id, 2)
    return MergeWork(fulfilment_id=fulfilment_id, merged=other, actor="support", at=at)


def _answer(answer: CancellationStatus) -> _Make:
    def make(_: str, __: str, at: datetime, state: OrderState) -> Command:
        request_id = next(iter(state.asked), ids.cancellation_request_id(state.order_id, 1))
        return AnswerCancellation(request_id=request_id, answer=answer, actor="node", at=at)

    return make


def _note(_: str, __: str, at: datetime, ___: OrderState) -> Command:
    return AddNote(key="page", text="called", actor="support", at=at)


def _prioritise(_: str, __: str, at: datetime, ___: OrderState) -> Command:
    return Prioritise(key="page", priority=5, actor="support", at=at)


def _resend(_: str, __: str, at: datetime, ___: OrderState) -> Command:
    told = ToldBefore(
        kind=MessageKind.SHIPPED,
        medium=Medium.MAIL,
        message_key="shipped",
        context={},
        waits=False,
        times=0,
    )
    return ResendMessage(message_id=1, actor="support", at=at, told=told)


def _cancel(units: int | None, mode: CancelMode = CancelMode.ALL) -> _Make:
    def make(fulfilment_id: str, line_id: str, at: datetime, __: OrderState) -> Command:
        lines = None if units is None else {line_id: units}
        return CancelUnits(lines=lines, mode=mode, answer_by={fulfilment_id: at}, actor="support", at=at)

    return make


def _hold(_: str, __: str, at: datetime, ___: OrderState) -> Command:
    return PlaceHold(type="address", blocks=frozenset({BlockedStep.RELEASE}), actor="support", at=at)


def _held(state: OrderState) -> str:
    return next(iter(state.holds), f"{state.order_id}-H1")


def _edit(kind: EditKind, change: Callable[[str], Change]) -> Ask:
    def make(_: str, line_id: str, at: datetime, state: OrderState) -> Command:
        return EditOrder(revision=state.revision, changes=(change(line_id),), actor="support", at=at)

    return Ask(f"change: {kind.value.replace('_', ' ')}", Scope.ORDERS_EDIT, make, kind)


_ADDRESS: Final = ShipTo(name="Ada Young", lines=("1 New Road",), city="York", postal_code="YO1 7EP", country="GB")
_K = EditKind
_EDITS: Final[dict[EditKind, Callable[[str], Change]]] = {
    _K.SET_QUANTITY: lambda line: changes.SetQuantity(line_id=line, quantity=1),
    _K.ADD_LINE: lambda _: changes.AddLine(line_id="new", sku="B", quantity=1, unit_price=500),
    _K.REMOVE_LINE: lambda line: changes.RemoveLine(line_id=line),
    _K.SWAP_SKU: lambda line: changes.SwapSku(line_id=line, new_line_id="new", sku="B"),
    _K.SUBSTITUTE: lambda line: changes.TakeSubstitute(
        line_id=line, units=1, new_line_id="new", sku="B", quantity=1, unit_price=500
    ),
    _K.SET_SHIP_TO: lambda _: changes.SetShipTo(ship_to=_ADDRESS),
    _K.SET_SHIPPING_METHOD: lambda _: changes.SetShippingMethod(shipping_method=ShippingMethod.EXPRESS),
    _K.SET_REQUESTED_BY: lambda _: changes.SetRequestedBy(requested_by=None),
    _K.SET_PICKUP_NODE: lambda _: changes.SetPickupNode(pickup_node="st-york"),
    _K.SET_TAGS: lambda _: changes.SetTags(tags=("vip",)),
    _K.SET_SHIP_COMPLETE: lambda _: changes.SetShipComplete(ship_complete=False),
}
ASKS: Final = (
    *(_step(step) for step in FulfilmentStep),
    Ask("collect, with the code", Scope.FULFILMENTS_WORK, _collect),
    Ask("collect, with a wrong code", Scope.FULFILMENTS_WORK, _collect_wrongly),
    Ask("collected, without the code", Scope.FULFILMENTS_CORRECT, lambda work, _, at, __: _collected(work, at)),
    Ask(
        "count a wrong code",
        None,
        lambda work, _, at, __: CountWrongCode(fulfilment_id=work, actor="node", at=at),
    ),
    Ask("keep it longer", Scope.FULFILMENTS_DIRECT, _keep),
    Ask("remind the customer", None, _remind),
    Ask("it is not collected in time", None, _expire),
    Ask(
        "put it back",
        Scope.FULFILMENTS_WORK,
        lambda work, _, at, __: PutBack(fulfilment_id=work, actor="node", at=at),
    ),
    Ask("carrier booked", None, lambda work, _, at, __: _booked(work, at, 2)),
    Ask("carrier refused", None, _refused),
    Ask("sent with a carrier of the supplier's own", Scope.FULFILMENTS_WORK, _ship),
    _parcel(_S.HANDED_OVER, "in transit"),
    _parcel(_S.DELIVERED, "delivered"),
    Ask("received at the store", Scope.FULFILMENTS_WORK, _received),
    _parcel(_S.LOST, "lost"),
    _parcel(_S.RETURNED, "returned to sender"),
    Ask("arrived after all", Scope.FULFILMENTS_CORRECT, _arrived),
    Ask("send it once more", Scope.FULFILMENTS_CORRECT, _reship),
    Ask("move to another node", Scope.FULFILMENTS_DIRECT, _move),
    Ask("source it again", Scope.FULFILMENTS_DIRECT, _source_again),
    Ask("split", Scope.FULFILMENTS_DIRECT, _split),
    Ask("merge with a second fulfilment, which there is not", Scope.FULFILMENTS_DIRECT, _merge),
    Ask("cancel the order", Scope.ORDERS_CANCEL, _cancel(None)),
    Ask("cancel a unit", Scope.ORDERS_CANCEL, _cancel(1)),
    Ask("cancel what is possible", Scope.ORDERS_CANCEL, _cancel(None, CancelMode.POSSIBLE)),
    Ask("cancel, and ask for the rest", Scope.ORDERS_CANCEL, _cancel(None, CancelMode.ASK)),
    Ask("grant a cancellation", Scope.FULFILMENTS_WORK, _answer(CancellationStatus.GRANTED)),
    Ask("refuse a cancellation", Scope.FULFILMENTS_WORK, _answer(CancellationStatus.REFUSED)),
    Ask("a cancellation expires", None, _answer(CancellationStatus.EXPIRED)),
    Ask("cancel the rest", None, lambda _, __, at, ___: CancelRest(actor="system:temporal", at=at)),
    Ask("give up waiting", None, lambda _, __, at, ___: GiveUpWaiting(at=at, reason="too long")),
    Ask("put a hold on", Scope.ORDERS_HOLD, _hold),
    Ask(
        "release a hold",
        Scope.ORDERS_HOLD,
        lambda _, __, at, state: ReleaseHold(hold_id=_held(state), actor="support", at=at),
    ),
    Ask("a hold is overdue", None, lambda _, __, at, state: HoldIsOverdue(hold_id=_held(state), at=at)),
    Ask("note", Scope.ORDERS_NOTE, _note),
    Ask("prioritise", Scope.ORDERS_PRIORITISE, _prioritise),
    Ask("send a message once more", Scope.MESSAGES_RESEND, _resend),
    *(_edit(kind, change) for kind, change in _EDITS.items()),
)
"""Every row, in sequence."""

_PATHS: Final[dict[str, tuple[FulfilmentStatus, ...]]] = {
    _S.RELEASED: (),
    _S.ACCEPTED: (_S.ACCEPTED,),
    _S.PICKED: (_S.ACCEPTED, _S.PICKED),
    _S.PACKED: (_S.ACCEPTED, _S.PICKED, _S.PACKED),
    _S.BOOKED: (_S.ACCEPTED, _S.PICKED, _S.PACKED, _S.BOOKED),
    **{
        status: (_S.ACCEPTED, _S.PICKED, _S.PACKED, _S.BOOKED, _S.HANDED_OVER, *after)
        for status, after in {
            _S.HANDED_OVER: (),
            _S.DELIVERED: (_S.DELIVERED,),
            _S.LOST: (_S.LOST,),
            _S.RETURNED: (_S.RETURNED,),
            "to_store": (),
            "at_store": (),
        }.items()
    },
    _S.REJECTED: (_S.REJECTED,),
    _S.READY: (_S.ACCEPTED, _S.PICKED, _S.READY),
    "not_collected": (_S.ACCEPTED, _S.PICKED, _S.READY),
    _S.COLLECTED: (_S.ACCEPTED, _S.PICKED, _S.READY, _S.COLLECTED),
}
_STEPS: Final = {
    _S.ACCEPTED: _Step.ACCEPT,
    _S.PICKED: _Step.PICK,
    _S.PACKED: _Step.PACK,
    _S.REJECTED: _Step.REJECT,
}


def _came_to_store(fulfilment_id: str, at: datetime) -> Command:
    told = {"fulfilment_id": fulfilment_id, "actor": "carrier", "at": at, "collection": _kept(at)}
    return MoveParcel(status=_S.DELIVERED, **told)


_ENDS: Final[dict[str, Callable[[str, datetime], Command]]] = {
    "not_collected": lambda work, at: ExpireCollection(fulfilment_id=work, at=at + timedelta(days=30)),
    "at_store": _came_to_store,
}


def path_of(state: str, fulfilment_id: str, at: datetime) -> Iterator[Command]:
    """The commands by which released work comes to a state of the page."""
    if state == "cancelled":
        yield CancelUnits(lines=None, actor="support", at=at)
        return
    if state == "asked":
        for status in (_S.ACCEPTED, _S.PICKED):
            yield TakeNodeStep(fulfilment_id=fulfilment_id, step=_STEPS[status], actor="node", at=at)
        answer_by = {fulfilment_id: at}
        yield CancelUnits(lines=None, mode=CancelMode.ASK, answer_by=answer_by, actor="support", at=at)
        return
    if state == "held":
        blocks = frozenset({BlockedStep.RELEASE})
        yield PlaceHold(type="manual", blocks=blocks, actor="support", at=at, due_at=at)
        return
    for status in _PATHS[state]:
        if status is _S.BOOKED:
            yield _booked(fulfilment_id, at, 1)
        elif status in {_S.READY, _S.COLLECTED}:
            yield _of_pickup(status, fulfilment_id, at)
        elif status in _STEPS:
            yield TakeNodeStep(fulfilment_id=fulfilment_id, step=_STEPS[status], actor="node", at=at)
        else:
            yield MoveParcel(fulfilment_id=fulfilment_id, status=status, actor="carrier", at=at)
    if state in _ENDS:
        yield _ENDS[state](fulfilment_id, at)


def _of_pickup(status: FulfilmentStatus, fulfilment_id: str, at: datetime) -> Command:
    if status is _S.COLLECTED:
        return _collected(fulfilment_id, at)
    told = {"fulfilment_id": fulfilment_id, "actor": "node", "at": at}
    return TakeNodeStep(step=_Step.PACK, collection=_kept(at), **told)
