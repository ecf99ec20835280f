"""What a platform is told is what it does not know, and once it is told nothing is left."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dom.channels.telling import (
    OurFulfilment,
    OurOrder,
    OurRefund,
    PlatformFulfilment,
    PlatformLine,
    PlatformOrder,
    PlatformRefund,
    StepKind,
    TellStep,
    steps,
)
from dom.orders.status import FulfilmentStatus as S

ALL = frozenset(StepKind)


@dataclass
class Platform:
    """A platform that does what it is told, to the letter."""

    wanted: dict[str, int]
    shipped: dict[str, int] = field(default_factory=dict)
    fulfilments: list[PlatformFulfilment] = field(default_factory=list)
    refunds: list[PlatformRefund] = field(default_factory=list)
    accepted: bool = False
    cancelled: bool = False

    @property
    def order(self) -> PlatformOrder:
        lines = {line: PlatformLine(units, self.shipped.get(line, 0)) for line, units in self.wanted.items()}
        return PlatformOrder("R", lines, self.fulfilments, self.refunds, self.cancelled, self.accepted)

    def do(self, step: TellStep) -> str:
        if step.known is not None:
            return step.known
        if step.kind is StepKind.ACCEPT:
            self.accepted = True
        elif step.kind is StepKind.FULFIL:
            assert step.lines, "a fulfilment without lines is one of everything"
            for line, units in step.lines.items():
                self.shipped[line] = self.shipped.get(line, 0) + units
                assert self.shipped[line] <= self.wanted[line]
            self.fulfilments.append(PlatformFulfilment(f"P{len(self.fulfilments)}", step.tracking_number))
            return self.fulfilments[-1].id
        elif step.kind is StepKind.DELIVER:
            self.fulfilments = [replace(f, delivered=True) if f.id == step.platform_id else f for f in self.fulfilments]
        elif step.kind is StepKind.CANCEL:
            for line, units in step.lines.items():
                self.wanted[line] -= units
                assert self.wanted[line] >= self.shipped.get(line, 0)
            self.cancelled = step.whole
        else:
            self.refunds.append(PlatformRefund(f"M{len(self.refunds)}", step.key))
        return "x"


def tell(ours: OurOrder, platform: Platform, done: dict[str, str] | None = None) -> list[StepKind]:
    """Tell until nothing is left; what was told."""
    done = {} if done is None else done
    told: list[StepKind] = []
    for _ in range(4):
        found = steps(ours, platform.order, done, ALL)
        if not found:
            return told
        for step in found:
            done[step.key] = platform.do(step)
            told.append(step.kind)
    raise AssertionError(f"it never ends: {told}")


def ours(wanted: Mapping[str, int], *fulfilments: OurFulfilment, **fields: Any) -> OurOrder:
    return OurOrder("web-1", "1", wanted, fields.pop("agreed", wanted), fulfilments, **fields)


def parcel(name: str, status: S, tracking: str = "", **lines: int) -> OurFulfilment:
    return OurFulfilment(name, status, lines, "northline", tracking)


def test_an_order_on_its_way_is_told_once() -> None:
    platform, done = Platform({"a": 2, "b": 1}), dict[str, str]()
    order = ours({"a": 2, "b": 1}, parcel("F1", S.DELIVERED, "T1", a=2), parcel("F2", S.RELEASED, b=1))
    assert tell(order, platform, done) == [StepKind.ACCEPT, StepKind.FULFIL, StepKind.DELIVER]
    assert tell(order, platform, done) == []
    assert platform.shipped == {"a": 2}


def test_what_was_done_and_not_written_down_is_found() -> None:
    platform = Platform({"a": 2})
    order = ours({"a": 2}, parcel("F1", S.HANDED_OVER, "T1", a=2), refunds=[OurRefund("R1", 250, "GBP")])
    tell(order, platform)
    assert tell(order, platform) == [StepKind.ACCEPT, StepKind.FULFIL, StepKind.REFUND]  # only written down again
    assert (platform.shipped, len(platform.fulfilments), len(platform.refunds)) == ({"a": 2}, 1, 1)


def test_of_two_fulfilments_in_one_parcel_each_is_told() -> None:
    platform = Platform({"a": 1, "b": 1})
    tell(ours({"a": 1, "b": 1}, parcel("F1", S.HANDED_OVER, "T", a=1), parcel("F2", S.HANDED_OVER, "T", b=1)), platform)
    assert platform.shipped == {"a": 1, "b": 1}


def test_units_that_the_channel_added_and_we_do_not_know_yet_are_not_cancelled() -> None:
    platform = Platform({"a": 3})
    assert tell(ours({"a": 2}, agreed={"a": 2}), platform) == [StepKind.ACCEPT]
    assert platform.wanted == {"a": 3}


def test_what_was_sent_before_we_came_is_neither_sent_nor_cancelled() -> None:
    platform = Platform({"a": 3}, shipped={"a": 2})
    order = ours({"a": 1}, parcel("F1", S.HANDED_OVER, "T", a=1), agreed={"a": 3}, sent_before={"a": 2})
    assert tell(order, platform) == [StepKind.ACCEPT, StepKind.FULFIL]
    assert (platform.wanted, platform.shipped) == ({"a": 3}, {"a": 3})


def test_an_article_sent_instead_is_no_line_of_the_platform() -> None:
    platform = Platform({"a": 1})
    assert tell(ours({"a": 0, "a-S1": 1}, parcel("F1", S.HANDED_OVER, "T", **{"a-S1": 1}), agreed={"a": 1}), platform)
    assert platform.shipped == {}


@st.composite
def _orders(draw: st.DrawFn) -> tuple[OurOrder, Platform]:
    ordered = {line: draw(st.integers(1, 4)) for line in ("a", "b", "c")[: draw(st.integers(1, 3))]}
    before = {line: draw(st.integers(0, units)) for line, units in ordered.items()}
    theirs = {line: draw(st.integers(before[line], units)) for line, units in ordered.items()}
    captured = {line: units - before[line] for line, units in ordered.items()}
    wanted = {line: draw(st.integers(0, units)) for line, units in captured.items()}
    left, parcels = dict(wanted), []
    for number in range(draw(st.integers(0, 3))):
        lines = {line: draw(st.integers(0, units)) for line, units in left.items()}
        left = {line: units - lines[line] for line, units in left.items()}
        status = draw(st.sampled_from([S.RELEASED, S.HANDED_OVER, S.DELIVERED, S.LOST]))
        parcels.append(parcel(f"F{number}", status, draw(st.sampled_from(["", "T1", "T2"])), **lines))
    refunds = [OurRefund(f"R{number}", 100, "GBP") for number in range(draw(st.integers(0, 2)))]
    order = ours(wanted, *parcels, agreed=ordered, sent_before=before, refunds=refunds)
    order = replace(order, is_cancelled=not any(wanted.values()))
    return order, Platform(theirs, dict(before))


@given(_orders())
def test_whatever_stands_there_telling_comes_to_an_end_and_breaks_no_bound(drawn: tuple[OurOrder, Platform]) -> None:
    order, platform = drawn
    done: dict[str, str] = {}
    before = dict(platform.wanted)
    tell(order, platform, done)
    assert steps(order, platform.order, done, ALL) == ()
    for line, units in platform.wanted.items():
        sent = order.sent_before.get(line, 0)
        if before[line] >= sent + order.wanted.get(line, 0):  # nobody there wants less than we do
            assert units == max(sent + order.wanted.get(line, 0), platform.shipped.get(line, 0)) or platform.cancelled


def test_of_an_order_with_other_articles_nothing_is_cancelled_there() -> None:
    swapped = ours({"a": 0, "a-S1": 2}, agreed={"a": 2})
    assert tell(swapped, Platform({"a": 2})) == [StepKind.ACCEPT]


def test_an_order_that_takes_its_time_to_be_cancelled_is_asked_once() -> None:
    order = ours({"a": 0}, agreed={"a": 2}, is_cancelled=True)
    (step,) = steps(order, Platform({"a": 2}).order, {}, ALL)
    assert step.whole
    assert steps(order, Platform({"a": 2}).order, {step.key: "job"}, ALL) == ()


def test_a_refund_is_found_by_its_whole_key() -> None:
    platform = Platform({"a": 1}, refunds=[PlatformRefund("M0", "R10 broken")])
    order = ours({"a": 1}, refunds=[OurRefund("R1", 100, "GBP")])
    assert StepKind.REFUND in tell(order, platform)
    assert len(platform.refunds) == 2
