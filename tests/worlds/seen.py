"""What people see of a workflow in the Temporal UI."""

from typing import Any

from temporalio.client import WorkflowHandle


async def current_details(handle: WorkflowHandle[Any, Any]) -> str:
    """The Markdown report the Temporal UI shows."""
    metadata = await handle.query("__temporal_workflow_metadata")
    return str(metadata.get("currentDetails", "") if isinstance(metadata, dict) else metadata.current_details)


async def attributes_of(handle: WorkflowHandle[Any, Any]) -> dict[str, object]:
    """The workflow's search attributes by name."""
    described = await handle.describe()
    return {pair.key.name: pair.value for pair in described.typed_search_attributes}
