"""The shape of an order: what its recorded history is made of, stage by stage."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from dom.shared.base import Value

LOCAL_ACTIVITY = "core_local_activity"


class Stage(Value):
    """What a workflow does after one message and before the next."""

    local: int = 0
    remote: int = 0


class Shape(Value):
    """Local and remote activities by stage; the first stage follows the start, each other one follows a signal."""

    stages: tuple[Stage, ...]
    updates: int

    @property
    def local(self) -> int:
        """Local activities."""
        return sum(stage.local for stage in self.stages)

    @property
    def remote(self) -> int:
        """Remote activities."""
        return sum(stage.remote for stage in self.stages)

    @property
    def signals(self) -> int:
        """Signals."""
        return len(self.stages) - 1

    @property
    def booked_at(self) -> int:
        """The number of the signal that the booking follows: the first remote activity. Raises StopIteration."""
        return next(number for number, stage in enumerate(self.stages) if stage.remote)


def shape_of(events: Iterable[HistoryEvent]) -> Shape:
    """The shape of the workflow that wrote this history."""
    stages, updates = [Stage()], 0
    for event in events:
        last = stages[-1]
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                stages.append(Stage())
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                updates += 1
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                stages[-1] = Stage(local=last.local, remote=last.remote + 1)
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                if event.marker_recorded_event_attributes.marker_name == LOCAL_ACTIVITY:
                    stages[-1] = Stage(local=last.local + 1, remote=last.remote)
    return Shape(stages=tuple(stages), updates=updates)
