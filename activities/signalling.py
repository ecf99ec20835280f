"""Notices to workflows: a message of the outbox as a signal, or as what a workflow begins with."""

from collections.abc import Awaitable, Callable, Mapping

from temporalio.service import RPCError

from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, TemporaryFailureError


class WorkflowNotices:
    """A `Sender` of messages whose `recipient` is a workflow's id, and whose payload a signal and its argument.

    `signal` signals the workflow of an id, and answers whether it runs. `begin` starts one instead, by the name of what
    it is told; one that was started before stays.
    """

    def __init__(
        self,
        signal: Callable[[str, str, object], Awaitable[bool]],
        begin: Mapping[str, Callable[[str, object], Awaitable[None]]],
    ) -> None:
        self._signal = signal
        self._begin = begin

    async def send(self, message: OutboundMessage) -> None:
        """Signal or start the workflow. ReceiverNotFoundError if one to be signalled does not run,
        TemporaryFailureError if Temporal fails.
        """
        told, argument = message.payload["signal"], message.payload["argument"]
        try:
            if told in self._begin:
                await self._begin[told](message.recipient, argument)
                return
            heard = await self._signal(message.recipient, told, argument)
        except RPCError as error:
            raise TemporaryFailureError(f"Temporal answered {error.status.name}: {error.message}") from error
        if not heard:
            raise ReceiverNotFoundError(f"no workflow {message.recipient} runs")

    async def close(self) -> None:
        """Nothing is open."""
