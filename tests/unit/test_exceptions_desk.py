"""What a person may do with an exception: said twice it is done once, and nothing is done to what was not seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.exceptions import ACTIONS, CATALOGUE, ExceptionAction, ExceptionSeverity, OwnerRole
from dom.exceptions.actions import possible
from dom.exceptions.desk import Assign, DeskCommand, ExceptionState, HandOn, Reopen, Resolve, Snooze, decide
from dom.shared.errors import DomError, Stale

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE = st.sampled_from(["Ada", "Ben"])
TIMES = st.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(hours=1), NOW + timedelta(days=100)])
COMMANDS: st.SearchStrategy[DeskCommand] = st.one_of(
    st.builds(Assign, st.none() | PEOPLE | st.just("system:ofl")),
    st.builds(HandOn, st.sampled_from(OwnerRole)),
    st.builds(Snooze, st.none() | TIMES),
    st.builds(Resolve, st.sampled_from(["done", "paid"]), PEOPLE),
    st.just(Reopen()),
)


@st.composite
def states(draw: st.DrawFn) -> ExceptionState:
    is_open = draw(st.booleans())
    by = None if is_open else draw(st.none() | PEOPLE)
    return ExceptionState(
        id=1,
        kind="parcel_lost",
        version=draw(st.integers(1, 5)),
        is_open=is_open,
        owner=draw(st.none() | PEOPLE),
        owner_role=draw(st.sampled_from(OwnerRole)).value,
        snoozed_until=draw(st.none() | TIMES) if is_open else None,
        resolution=None if by is None else "done",
        resolved_by=by,
    )


@given(states(), COMMANDS, st.integers(1, 5))
def test_a_command_changes_what_was_seen_or_nothing_and_said_again_changes_nothing(
    state: ExceptionState, command: DeskCommand, seen: int
) -> None:
    try:
        after = decide(state, command, seen=seen, now=NOW)
    except Stale:
        assert seen != state.version
        return
    except DomError:
        assert seen == state.version
        return
    assert after == state or seen == state.version
    assert decide(after, command, seen=seen, now=NOW) == after
    assert (after.resolution is None) == (after.resolved_by is None)
    assert after.is_open or after.snoozed_until is None
    assert after.resolution is None or not after.is_open


def test_an_action_is_possible_where_the_exception_says_what_it_is_about() -> None:
    work = {"fulfilment_id": "F1", "node_id": "dc", "units": {"A": 1}}
    every = tuple(ExceptionAction)
    assert possible(every, {}) == (
        ExceptionAction.CANCEL_WAITING, ExceptionAction.SOURCE_AGAIN, ExceptionAction.REVIVE,
    )  # fmt: skip
    assert ExceptionAction.CORRECT_STOCK not in possible(every, work | {"on_hand": "unchanged"})
    assert ExceptionAction.CORRECT_STOCK in possible(every, work | {"on_hand": "too low"})
    came = work | {"report": "delivered", "status": "lost"}
    assert ExceptionAction.ARRIVED in possible(every, came)
    assert ExceptionAction.ARRIVED not in possible(every, came | {"status": "cancelled"})
    assert ExceptionAction.BOOK_IN not in possible(every, work | {"units": {}})


@pytest.mark.parametrize("severity", ExceptionSeverity)
def test_the_worse_it_is_the_sooner_it_is_due_unless_the_kind_says_otherwise(severity: ExceptionSeverity) -> None:
    usual = {info.due_in for info in CATALOGUE.values() if info.severity is severity and info.due_minutes is None}
    assert usual == {{"critical": 60, "major": 480, "minor": 1440}[severity]}
    assert all(info.due_in > 0 for info in CATALOGUE.values())


def test_every_action_says_what_it_does_and_which_scope_it_needs() -> None:
    assert set(ACTIONS) == set(ExceptionAction)
    assert all(info.meaning and info.scope for info in ACTIONS.values())
