"""The bench's arithmetic: what it says must follow from what it measured."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, MarkerRecordedEventAttributes

from bench.counts.meter import Counts, statements_in
from bench.measure import Spread, own_seconds, percentile, processor_seconds, used_between
from bench.results import EMPTY, NO_OP, ONE_LINE, History, Load, Results, summary
from bench.shape import LOCAL_ACTIVITY, Shape, Stage, shape_of


class TestPercentile:
    @pytest.mark.parametrize(
        ("share", "expected"), [(0.0, 1.0), (0.2, 1.0), (0.21, 2.0), (0.5, 3.0), (0.95, 5.0), (1.0, 5.0)]
    )
    def test_is_a_value_of_the_sample_that_the_share_does_not_exceed(self, share: float, expected: float) -> None:
        assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], share) == expected

    def test_of_an_even_sample_is_the_lower_middle(self) -> None:
        assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0

    def test_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            percentile([], 0.5)


class TestSpread:
    def test_names_least_median_and_most(self) -> None:
        assert Spread.of([3.0, 1.0, 2.0]) == Spread(1.0, 2.0, 3.0)

    def test_of_no_round_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no round"):
            Spread.of([])


class TestCounts:
    def test_statements_are_those_of_others_by_the_kind_of_process(self) -> None:
        lines = [
            "2026-11-30 05:00:00 UTC [7] LOG:  execute <unnamed>: SELECT 1\n",
            "2026-11-30 05:00:00 UTC [7] LOG:  execute _pg3_0: SELECT id\n",
            "\tFROM orders -- LOG:  statement: of two lines\n",
            "2026-11-30 05:00:00 UTC [7] DETAIL:  Parameters: $1 = '1'\n",
            "2026-11-30 05:00:00 UTC [8] LOG:  statement: BEGIN\n",
            "2026-11-30 05:00:00 UTC [9] LOG:  statement: SELECT 2\n",
            "2026-11-30 05:00:00 UTC [5] LOG:  checkpoint starting: time\n",
            "2026-11-30 05:00:00 UTC [6] LOG:  statement: LISTEN outbox\n",
        ]
        found = statements_in(lines, {7: "dom-worker", 8: "dom-api", 9: "own"}, own_pid=9)
        assert found == {"dom-worker": 2, "dom-api": 1, "other": 1}

    def test_what_an_idle_house_asks_for_is_taken_off_by_the_time(self) -> None:
        idle = Counts(60.0, Counter({"dom-worker": 600, "dom-jobs": 120}), commits=60, flushes=6)
        busy = Counts(30.0, Counter({"dom-worker": 400, "dom-jobs": 55, "dom-api": 9}), commits=90, flushes=2)
        assert busy.above(idle) == Counts(30.0, Counter({"dom-worker": 100, "dom-api": 9}), commits=60, flushes=0)


class TestProcessorTime:
    def test_is_shared_out_in_milliseconds(self) -> None:
        assert used_between({"api": 1.0, "worker": 2.0}, {"api": 1.5, "worker": 2.0}, 10) == {
            "api": 50.0,
            "worker": 0.0,
        }

    def test_of_a_process_grows_with_its_work(self) -> None:
        before, own_before = processor_seconds({"me": os.getpid()}), own_seconds()
        while own_seconds() - own_before < 0.05:
            sum(range(10_000))
        assert processor_seconds({"me": os.getpid()})["me"] - before["me"] >= 0.04


def _event(kind: EventType.ValueType, marker: str = "") -> HistoryEvent:
    if not marker:
        return HistoryEvent(event_type=kind)
    return HistoryEvent(
        event_type=kind, marker_recorded_event_attributes=MarkerRecordedEventAttributes(marker_name=marker)
    )


LOCAL = _event(EventType.EVENT_TYPE_MARKER_RECORDED, LOCAL_ACTIVITY)
REMOTE = _event(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
SIGNAL = _event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
UPDATE = _event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
PATCH = _event(EventType.EVENT_TYPE_MARKER_RECORDED, "core_patch")
OTHER = _event(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)


class TestShape:
    def test_puts_activities_into_the_stage_their_signal_begins(self) -> None:
        shape = shape_of([OTHER, UPDATE, LOCAL, REMOTE, SIGNAL, OTHER, LOCAL, SIGNAL, SIGNAL, LOCAL, REMOTE, REMOTE])

        assert shape.stages == (
            Stage(local=1, remote=1),
            Stage(local=1, remote=0),
            Stage(),
            Stage(local=1, remote=2),
        )
        assert (shape.local, shape.remote, shape.signals, shape.updates) == (3, 3, 3, 1)

    def test_finds_the_signal_that_the_booking_follows(self) -> None:
        """Which is not the number of steps: of some of them the process does not hear."""
        assert shape_of([UPDATE, LOCAL, SIGNAL, LOCAL, SIGNAL, LOCAL, REMOTE, SIGNAL, LOCAL]).booked_at == 2

    def test_counts_no_other_marker_as_a_local_activity(self) -> None:
        assert shape_of([PATCH, LOCAL]).local == 1


def _load(name: str, count: int, seconds: float, cpu_ms: float = 1.0) -> Load:
    return Load(
        name=name,
        count=count,
        seconds=seconds,
        accept_seconds=[0.01 * number for number in range(1, count + 1)],
        walk_seconds=[seconds] * count,
        fulfilments=1.0,
        cpu_ms={"worker": cpu_ms},
        histories=[History(events=50, bytes=1000, remote=4, tasks=9)],
    )


class TestResults:
    def test_compares_rates_round_by_round_and_not_over_all(self) -> None:
        results = _results()

        assert results.rate_ratio(ONE_LINE, NO_OP) == Spread(0.5, 0.75, 1.0)

    def test_compares_the_medians_of_what_ran_alone_round_by_round(self) -> None:
        assert _results().accept_ratio() == Spread(2.0, 2.5, 3.0)

    def test_compares_the_processor_time_of_all_processes_together(self) -> None:
        results = Results(Shape(stages=(Stage(),), updates=1), at_once=1)
        results.add(replace(_load(NO_OP, 1, 1.0), cpu_ms={"worker": 20.0, "api": 20.0}))
        results.add(replace(_load(ONE_LINE, 1, 1.0), cpu_ms={"worker": 30.0, "api": 50.0}))

        assert results.processor_ratio(NO_OP, ONE_LINE) == Spread(0.5, 0.5, 0.5)

    def test_sums_up_the_rounds_of_one_thing(self) -> None:
        found = summary([_load(ONE_LINE, 2, 1.0, cpu_ms=80), _load(ONE_LINE, 2, 4.0, cpu_ms=100)])

        assert found["rate"] == {"least": 0.5, "middle": 1.25, "most": 2.0}
        assert found["cpu_ms"] == {"worker": 90.0}
        assert found["accept_ms"] == {"p50": 10.0, "p95": 20.0}
        assert (found["events"], found["tasks"]) == (50, 9)

    def test_says_everything_to_machines(self) -> None:
        told = _results().as_json()

        assert told["ratios"]["one_line_rate_to_noop_rate"]["middle"] == 0.75
        assert told["alone_ms"][EMPTY]["p50"] == 10.0
        assert len(told["rounds"][NO_OP]) == 2


def _results() -> Results:
    """Two rounds: the machine is half as fast in the second one, for no-ops; orders do not change."""
    results = Results(Shape(stages=(Stage(local=1),), updates=1), at_once=4)
    for noop_seconds, answer_seconds in ((1.0, 0.02), (2.0, 0.03)):
        results.add(_load(NO_OP, 10, noop_seconds))
        results.add(_load(ONE_LINE, 10, 2.0))
        results.add_alone({EMPTY: [0.01], NO_OP: [0.01], ONE_LINE: [answer_seconds]})
    return results
