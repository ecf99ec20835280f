"""Watches that could never be met, or never be missed, are refused when they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom import watches
from dom.orders.events import EventKind
from dom.shared.errors import InvalidInput
from dom.watches import Watch, WatchedThing, check, later

K = EventKind
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "watches.json"


def watch(after: Any, milestone: EventKind, subject: WatchedThing = WatchedThing.FULFILMENT, **fields: Any) -> Watch:
    named = (after,) if isinstance(after, EventKind) else tuple(after)
    usual: dict[str, Any] = {"name": "w", "description": "d", "within_minutes": 60}
    return Watch(subject=subject, after=named, milestone=milestone, **(usual | fields))


@pytest.mark.parametrize(
    ("after", "milestone", "subject"),
    [
        (K.ACCEPTED, K.FULFILMENT_ACCEPTED, WatchedThing.FULFILMENT),
        ((K.ACCEPTED, K.SOURCED, K.REOPTIMISED), K.FULFILMENT_DELIVERED, WatchedThing.FULFILMENT),
        (K.FULFILMENT_PACKED, K.FULFILMENT_HANDED_OVER, WatchedThing.FULFILMENT),
        (K.FULFILMENT_READY, K.FULFILMENT_COLLECTED, WatchedThing.FULFILMENT),
        (K.RETURN_REQUESTED, K.RETURN_REFUNDED, WatchedThing.RETURN),
        (K.ACCEPTED, K.SOURCED, WatchedThing.ORDER),
    ],
)
def test_what_can_be_reached_is_let_in(after: Any, milestone: EventKind, subject: WatchedThing) -> None:
    check(watch(after, milestone, subject))


@pytest.mark.parametrize(
    ("after", "milestone", "subject", "field"),
    [
        (K.FULFILMENT_PACKED, K.FULFILMENT_PACKED, WatchedThing.FULFILMENT, "after[0]"),
        (K.FULFILMENT_HANDED_OVER, K.FULFILMENT_PACKED, WatchedThing.FULFILMENT, "after[0]"),
        ((K.ACCEPTED, K.FULFILMENT_HANDED_OVER), K.FULFILMENT_PACKED, WatchedThing.FULFILMENT, "after[1]"),
        ((K.ACCEPTED, K.ACCEPTED), K.FULFILMENT_PACKED, WatchedThing.FULFILMENT, "after[1]"),
        (K.FULFILMENT_PACKED, K.FULFILMENT_COLLECTED, WatchedThing.FULFILMENT, "after[0]"),
        (K.FULFILMENT_DELIVERED, K.FULFILMENT_COLLECTED, WatchedThing.FULFILMENT, "after[0]"),
        (K.RETURN_RECEIVED, K.FULFILMENT_PACKED, WatchedThing.FULFILMENT, "after[0]"),
        (K.FULFILMENT_PACKED, K.RETURN_RECEIVED, WatchedThing.FULFILMENT, "milestone"),
        (K.ACCEPTED, K.FULFILMENT_PACKED, WatchedThing.ORDER, "milestone"),
        (K.ACCEPTED, K.PROCESS_REVIVED, WatchedThing.ORDER, "milestone"),
    ],
)
def test_what_waits_for_itself_for_what_was_before_or_for_another_thing_is_refused(
    after: Any, milestone: EventKind, subject: WatchedThing, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(watch(after, milestone, subject))
    assert refused.value.field == field


@given(
    st.sampled_from(WatchedThing),
    st.lists(st.sampled_from(EventKind), min_size=1, max_size=4),
    st.sampled_from(EventKind),
)
def test_what_is_let_in_can_be_reached_from_each_event_and_leads_back_to_none(
    subject: WatchedThing, after: list[EventKind], milestone: EventKind
) -> None:
    made = watch(after, milestone, subject)
    try:
        check(made)
    except InvalidInput:
        return
    for kind in after:
        assert milestone in later(subject, kind)
        assert kind not in made.reached_by


@pytest.mark.parametrize("subject", WatchedThing)
def test_nothing_follows_itself(subject: WatchedThing) -> None:
    assert not [kind for kind in EventKind if kind in later(subject, kind)]


def test_goods_that_are_collected_are_as_good_as_packed_and_delivered() -> None:
    assert K.FULFILMENT_READY in watch(K.FULFILMENT_ACCEPTED, K.FULFILMENT_PACKED).reached_by
    assert K.FULFILMENT_COLLECTED in watch(K.ACCEPTED, K.FULFILMENT_DELIVERED).reached_by


def test_a_parcel_for_a_store_is_delivered_once_it_is_ready_there() -> None:
    for after in (K.FULFILMENT_HANDED_OVER, K.ACCEPTED):
        delivered = watch(after, K.FULFILMENT_DELIVERED)
        assert K.FULFILMENT_READY not in delivered.reached_by
        assert K.FULFILMENT_READY in delivered.reached_at_store_by
    assert not watch(K.ACCEPTED, K.FULFILMENT_HANDED_OVER).reached_at_store_by


def test_the_samples_can_be_written() -> None:
    documents = json.loads(SAMPLE.read_text())
    names = [Watch.model_validate(each).name for each in documents]
    assert len(set(names)) == len(names) >= 3
    for each in documents:
        check(Watch.model_validate(each))


def test_what_was_missed_is_said_in_words() -> None:
    made = watch((K.ACCEPTED, K.SOURCED), K.FULFILMENT_ACCEPTED, within_minutes=240)
    assert watches.in_words(made) == "is not at fulfilment accepted within 4 hours of accepted or sourced"
    assert [watches.span(each) for each in (1440, 60, 90, 2880)] == ["1 day", "1 hour", "90 minutes", "2 days"]


def test_goods_that_are_put_away_and_not_paid_back_are_as_good_as_refunded() -> None:
    watched = watch(K.RETURN_RECEIVED, K.RETURN_REFUNDED, WatchedThing.RETURN)
    assert {K.RETURN_REFUNDED, K.RETURN_PUT_AWAY, K.RETURN_CLOSED} == watched.reached_by
