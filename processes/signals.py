"""Signals workflows."""

from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from bootstrap import refusals


async def send(client: Client, workflow_id: str, signal: Any, message: object) -> bool:
    """Send a signal; False if no such workflow runs."""
    try:
        await client.get_workflow_handle(workflow_id).signal(signal, message)
    except RPCError as error:
        if not refusals.is_about_workflow(error):
            raise
        return False
    return True
