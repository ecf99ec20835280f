"""Domain errors.

    DomError
    ├── InvalidInput      422  a field is wrong; nothing was done
    │   ├── UnknownSku
    │   ├── UnknownChannel
    │   ├── UnknownNode
    │   ├── CodeRequired       goods are collected with a code
    │   ├── PolicyInvalid      the OFL policy has mistakes; each is named with its place
    │   └── MappingInvalid     a channel's mapping has mistakes; each is named with its place
    ├── BadSignature      401  the message is not signed as its sender signs
    ├── Forbidden         403  the caller may not do that
    ├── NotFound          404  no such order, fulfilment, return, node, SKU, shipment
    ├── Conflict          409  right in form, impossible now
    │   ├── OrderConflict      same channel and external_id, other content
    │   ├── CannotCancel       handed over, or cancelled already
    │   ├── CannotChange       too late for a change of the order
    │   ├── QuestionEnded      the customer's question was answered otherwise, or has ended
    │   ├── Stale              what the caller saw is not so any more
    │   ├── StepNotPossible    the fulfilment, return or inbound is past that step
    │   │   ├── OnHold             the step waits for a hold to be released
    │   │   ├── WrongCode          it is not the code with which the goods are collected
    │   │   └── CollectionLocked   too many wrong codes were said
    │   ├── NothingToReturn    more than was delivered, or returned already
    │   ├── ReservationEnded   the soft reservation lapsed, was released or became an order
    │   ├── NotAvailable       more would wait for stock than may
    │   ├── StockConflict      the change would make a balance impossible
    ├── NoProcess         503  open, and no process works on it: a person was told
    └── OutsideFailure    502  a carrier, mail server or webhook refused for good

Each class carries a stable `type` (the last part of the problem's URI; part of the contract) and the HTTP status.
"""

from typing import Any, ClassVar


class DomError(Exception):
    """An error a caller can act on.

    `field` is a JSON path into the caller's input ("lines[0].sku") where one field is at fault, `data` whatever a
    program needs to react without reading the text; where several fields are at fault its `fields` says of each
    what is wrong.
    """

    type: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, field: str | None = None, data: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.data = data or {}


class InvalidInput(DomError):
    """A field of the input is wrong; nothing was done."""

    type = "invalid-input"
    title = "The input is not valid"
    status = 422


class UnknownSku(InvalidInput):
    """An order line names a SKU that the catalogue does not hold."""

    type = "unknown-sku"
    title = "A SKU is not known"


class UnknownChannel(InvalidInput):
    """The input names a channel that nobody has registered."""

    type = "unknown-channel"
    title = "A channel is not known"


class UnknownNode(InvalidInput):
    """The input names a node that the network does not hold."""

    type = "unknown-node"
    title = "A node is not known"


class CodeRequired(InvalidInput):
    """The goods are collected with a code, and none was said."""

    type = "code-required"
    title = "The customer's code is needed"


class PolicyInvalid(InvalidInput):
    """The OFL policy has mistakes; `errors` names each with its place and a way to mend it. Nothing was done."""

    type = "policy-invalid"
    title = "The policy has mistakes"


class MappingInvalid(InvalidInput):
    """A channel's mapping has mistakes; `errors` names each with its place and a way to mend it. Nothing was done."""

    type = "mapping-invalid"
    title = "The mapping has mistakes"


class BadSignature(DomError):
    """The sender has a secret, and the message is not signed with it, was changed, or is too old. Nothing was done."""

    type = "bad-signature"
    title = "The signature does not count"
    status = 401


class Forbidden(DomError):
    """The caller has no such scope, or names a channel, node or carrier that is not his."""

    type = "forbidden"
    title = "The caller may not do that"
    status = 403


class NotFound(DomError):
    """The thing addressed does not exist."""

    type = "not-found"
    title = "Not found"
    status = 404


class Conflict(DomError):
    """The request is right in form but impossible in the present state."""

    type = "conflict"
    title = "Not possible in the present state"
    status = 409


class OrderConflict(Conflict):
    """The channel sent an order number again, with other content."""

    type = "order-conflict"
    title = "This order was captured with other content"


class CannotCancel(Conflict):
    """Units asked to be cancelled are handed over, or cancelled already."""

    type = "cannot-cancel"
    title = "The units cannot be cancelled any more"


class CannotChange(Conflict):
    """It is too late for a change of the order; `instead` says what else could be done. Nothing was changed."""

    type = "cannot-change"
    title = "The order cannot be changed so any more"


class StepNotPossible(Conflict):
    """The fulfilment, return or inbound is past the step, or ended."""

    type = "step-not-possible"
    title = "The step is not possible any more"


class OnHold(StepNotPossible):
    """The order is on hold, and the hold blocks the step; `holds` names them. Do it again once they are released."""

    type = "on-hold"
    title = "The order is on hold"


class WrongCode(StepNotPossible):
    """It is not the code with which the goods are collected. It was counted; `tries_left` says how many may follow."""

    type = "wrong-code"
    title = "It is not the customer's code"


class CollectionLocked(StepNotPossible):
    """Too many wrong codes were said: no code counts any more, and a person has to look at it."""

    type = "collection-locked"
    title = "Too many wrong codes were said"


class NothingToReturn(Conflict):
    """More units are to be returned than were delivered and not yet returned."""

    type = "nothing-to-return"
    title = "The units cannot be returned"


class ReservationEnded(Conflict):
    """The soft reservation lapsed, was released or became an order: it holds nothing any more."""

    type = "reservation-ended"
    title = "The reservation has ended"


class NotAvailable(Conflict):
    """Units would have to wait for stock, and more than the SKU's limit allows would be waiting."""

    type = "not-available"
    title = "Not available, and no more may wait for it"


class StockConflict(Conflict):
    """The change would make a stock balance impossible."""

    type = "stock-conflict"
    title = "The stock does not allow it"


class QuestionEnded(Conflict):
    """The question was answered otherwise, nobody answered it in time, or there is nothing to ask any more; `data` says
    which. Nothing was done.
    """

    type = "question-ended"
    title = "The question is not open any more"


class Stale(Conflict):
    """It has changed since the version that was seen; `data` says what it is now. Nothing was done: look again."""

    type = "stale"
    title = "It has changed since it was seen"


class NoProcess(DomError):
    """The order or return is open, but no process works on it: a person was told. Send the same again later."""

    type = "no-process"
    title = "Nobody works on it for the moment"
    status = 503


class OutsideFailure(DomError):
    """A carrier, mail server or webhook refused for good."""

    type = "outside-failure"
    title = "An outside party refused"
    status = 502


def _tree(cls: type[DomError]) -> dict[str, type[DomError]]:
    found = {cls.type: cls}
    for child in cls.__subclasses__():
        found |= _tree(child)
    return found


def by_type(error_type: str | None) -> type[DomError] | None:
    """The class that carries a stable type; None for a type that is not ours."""
    return _tree(DomError).get(error_type or "")
