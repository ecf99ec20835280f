"""What a channel is to be told of an order: the difference between how it stands here and what the platform knows.

It is worked out anew each time from the platform's own present state. So nothing is told twice: what was done and not
written down, because a process died in between, is found there.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dom.orders.status import ARRIVED, MEANING, FulfilmentStatus, Whereabouts


class StepKind(StrEnum):
    """What a platform can be told."""

    ACCEPT = "accept"
    """The order is taken, and will be sent."""
    FULFIL = "fulfil"
    """A parcel left, with its tracking number."""
    DELIVER = "deliver"
    """A parcel reached the customer."""
    CANCEL = "cancel"
    """Units will not be sent."""
    REFUND = "refund"
    """Money goes back to the customer."""


@dataclass(frozen=True, slots=True)
class OurFulfilment:
    """A fulfilment of the order, with its parcel."""

    id: str
    status: FulfilmentStatus
    lines: Mapping[str, int]
    carrier: str = ""
    tracking_number: str = ""

    @property
    def has_left(self) -> bool:
        """Whether the goods are on the way to the customer, or with him."""
        return MEANING[self.status].units in {Whereabouts.ON_THE_WAY, Whereabouts.WITH_CUSTOMER}


@dataclass(frozen=True, slots=True)
class OurRefund:
    """A refund that was recorded: minor units of the order's currency."""

    key: str
    amount: int
    currency: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OurOrder:
    """The order as it stands here. `wanted` are the units of each line that are not cancelled; `agreed` are those that
    the channel wanted by the last state of it that was carried out, with what was sent before we captured it.
    """

    order_id: str
    number: str
    wanted: Mapping[str, int]
    agreed: Mapping[str, int]
    fulfilments: Sequence[OurFulfilment] = ()
    refunds: Sequence[OurRefund] = ()
    is_cancelled: bool = False
    sent_before: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """A line as the platform has it now: units that it wants sent, and of these the ones that it knows to be sent."""

    wanted: int
    shipped: int = 0

    @property
    def open(self) -> int:
        """Units that the platform still waits for."""
        return max(self.wanted - self.shipped, 0)


@dataclass(frozen=True, slots=True)
class PlatformFulfilment:
    """A fulfilment that the platform knows, with its units by line where it says them."""

    id: str
    tracking_number: str = ""
    delivered: bool = False
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformRefund:
    """A refund that the platform knows; our key is the first word of its `note`."""

    id: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlatformOrder:
    """What a platform knows of an order. `raw` is its state in the platform's own form, for its connector."""

    reference: str
    lines: Mapping[str, PlatformLine]
    fulfilments: Sequence[PlatformFulfilment] = ()
    refunds: Sequence[PlatformRefund] = ()
    is_cancelled: bool = False
    is_accepted: bool = False
    raw: Any = None


@dataclass(frozen=True, slots=True)
class TellStep:
    """One thing to tell. `key` is its name among those of the order; done under it once, it is not done again.

    `known` is the platform's id of what is there already: then there is nothing to do but to write it down.
    """

    kind: StepKind
    key: str
    lines: Mapping[str, int] = field(default_factory=dict)
    carrier: str = ""
    tracking_number: str = ""
    platform_id: str = ""
    amount: int = 0
    currency: str = ""
    reason: str = ""
    whole: bool = False
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """That a platform was told something, and what it calls it."""

    platform_id: str = ""


def steps(
    ours: OurOrder, theirs: PlatformOrder, done: Mapping[str, str], can: AbstractSet[StepKind]
) -> tuple[TellStep, ...]:
    """What the platform is to be told, in the sequence in which it is. `done` are the keys of what it was told, with
    its own ids of them; `can` is what it can be told at all.
    """
    found = [
        *_acceptance(ours, theirs),
        *_fulfilments(ours, theirs, done),
        *_cancellation(ours, theirs),
        *_refunds(ours, theirs),
    ]
    return tuple([step for step in found if step.kind in can and (step.key not in done or _again(step))])


def _again(step: TellStep) -> bool:
    """Whether it is told once more under its key: units that are still there. An order that is cancelled as a whole may
    take its time.
    """
    return step.kind is StepKind.CANCEL and not step.whole


def _acceptance(ours: OurOrder, theirs: PlatformOrder) -> Iterator[TellStep]:
    if not ours.is_cancelled and not theirs.is_cancelled:
        yield TellStep(StepKind.ACCEPT, "accept", known=theirs.reference if theirs.is_accepted else None)


def _fulfilments(ours: OurOrder, theirs: PlatformOrder, done: Mapping[str, str]) -> Iterator[TellStep]:
    still_open = {line_id: line.open for line_id, line in theirs.lines.items()}
    by_id = {each.id: each for each in theirs.fulfilments}
    # Of two fulfilments in one parcel each is told: what is another's already is not taken for this one's.
    taken = set(done.values())
    unclaimed = [each for each in theirs.fulfilments if each.id not in taken]
    for each in ours.fulfilments:
        if not each.has_left:
            continue
        there = by_id.get(done.get(each.id, ""))
        if there is None and each.id not in done:
            there = next((other for other in unclaimed if _is_same(each, other)), None)
            unclaimed = [other for other in unclaimed if other is not there]
        if there is not None:
            if each.id not in done:
                yield TellStep(StepKind.FULFIL, each.id, known=there.id, tracking_number=each.tracking_number)
        else:
            yield from _fulfilment(each, still_open)
        # One that is told now is delivered with the next look: its platform's id is not known before.
        if there is not None and each.status in ARRIVED:
            known = there.id if there.delivered else None
            yield TellStep(StepKind.DELIVER, f"{each.id}/delivered", platform_id=there.id, known=known)


def _is_same(ours: OurFulfilment, theirs: PlatformFulfilment) -> bool:
    """Whether a fulfilment there is this one, told before: by our id, its tracking number, or of none its units."""
    if theirs.id == ours.id:
        return True
    if ours.tracking_number or theirs.tracking_number:
        return ours.tracking_number == theirs.tracking_number
    return bool(theirs.lines) and dict(theirs.lines) == dict(ours.lines)


def _fulfilment(ours: OurFulfilment, still_open: dict[str, int]) -> Iterator[TellStep]:
    """A parcel of which the platform knows nothing, with the units that it still waits for.

    Without any there is nothing to tell: platforms take a fulfilment without lines for one of everything.
    """
    lines = {}
    for line_id, units in ours.lines.items():
        told = min(units, still_open.get(line_id, 0))
        if told:
            lines[line_id] = told
            still_open[line_id] -= told
    if lines:
        yield TellStep(
            StepKind.FULFIL, ours.id, lines=lines, carrier=ours.carrier, tracking_number=ours.tracking_number
        )


def _cancellation(ours: OurOrder, theirs: PlatformOrder) -> Iterator[TellStep]:
    """Units that were cancelled here and are wanted there.

    Of an order of which other articles are sent instead nothing is told: its own lines look cancelled, and are not.

    The less of what the channel wants now and of what it wanted when we heard of it counts: units that it added
    meanwhile are not known here yet, and are not cancelled.
    """
    if theirs.is_cancelled or any(units for line_id, units in ours.wanted.items() if line_id not in theirs.lines):
        return  # other articles are sent instead: what is cancelled of which line a person must say there
    left: dict[str, int] = {}
    for each in ours.fulfilments:
        if each.has_left:
            for line_id, units in each.lines.items():
                left[line_id] = left.get(line_id, 0) + units
    lines = {}
    for line_id, line in theirs.lines.items():
        to_send = max(ours.wanted.get(line_id, 0) - left.get(line_id, 0), 0)
        wanted = min(line.wanted, ours.agreed.get(line_id, 0))
        gone = max(line.shipped, left.get(line_id, 0) + ours.sent_before.get(line_id, 0))
        units = min(wanted - gone - to_send, line.open)
        if units > 0:
            lines[line_id] = units
    if lines:
        rest = {line_id: line.wanted for line_id, line in theirs.lines.items() if line.wanted}
        key = "cancel/" + ",".join(f"{line_id}-{ours.wanted.get(line_id, 0)}" for line_id in sorted(lines))
        yield TellStep(StepKind.CANCEL, key, lines=lines, whole=lines == rest, reason="cancelled")


def _refunds(ours: OurOrder, theirs: PlatformOrder) -> Iterator[TellStep]:
    for each in ours.refunds:
        there = next((refund.id for refund in theirs.refunds if refund.note.split(" ")[0] == each.key), None)
        yield TellStep(
            StepKind.REFUND, each.key, amount=each.amount, currency=each.currency,
            reason=each.reason, known=there,
        )  # fmt: skip
