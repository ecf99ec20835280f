"""Notices to workflows: a message of the outbox as a signal."""

from collections.abc import Awaitable, Callable

from temporalio.service import RPCError

from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, TemporaryFailureError


class WorkflowNotices:
    """A `Sender` of messages whose `recipient` is a workflow's id, and whose payload a signal and its argument.

    `signal` signals the workflow of an id, and answers whether it runs.
    """

    def __init__(self, signal: Callable[[str, str, object], Awaitable[bool]]) -> None:
        self._signal = signal

    async def send(self, message: OutboundMessage) -> None:
        """Signal the workflow. ReceiverNotFoundError if it does not run, TemporaryFailureError if Temporal fails."""
        try:
            heard = await self._signal(message.recipient, message.payload["signal"], message.payload["argument"])
        except RPCError as error:
            raise TemporaryFailureError(f"Temporal answered {error.status.name}: {error.message}") from error
        if not heard:
            raise ReceiverNotFoundError(f"no workflow {message.recipient} runs")

    async def close(self) -> None:
        """Nothing is open."""
