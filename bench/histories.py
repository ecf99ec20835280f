"""What a workflow's recorded history is made of."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.results import History


async def history_of(temporal: Client, workflow_id: str) -> History:
    """What the workflow left behind."""
    handle = temporal.get_workflow_handle(workflow_id)
    description = await handle.describe()
    events = (await handle.fetch_history()).events
    return History(
        events=len(events),
        bytes=description.raw_description.workflow_execution_info.history_size_bytes,
        remote=sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for event in events),
        tasks=sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in events),
    )
