"""Channels' own webhooks: posted to where each channel wants it, signed with its own secret, as both are now."""

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, TemporaryFailureError
from connectors.notifications.webhook import WebhookSender
from dom.shared.errors import OutsideFailure
from store import channels
from store.channels import Webhook
from store.database.engine import reading
from store.database.uninterrupted import uninterrupted


class ChannelWebhooks:
    """A `Sender` of messages whose `recipient` is a channel's id."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reads = reading(engine)
        self._senders: dict[str, tuple[str, WebhookSender]] = {}

    async def send(self, message: OutboundMessage) -> None:
        """Post a message; any 2xx means it was taken.

        ReceiverNotFoundError for a channel that has no webhook any more; otherwise as `WebhookSender.send`.
        """
        channel = message.recipient
        try:
            webhook = await uninterrupted(self._webhook(channel))
        except SQLAlchemyError as error:
            raise TemporaryFailureError(f"where channel {channel} wants it cannot be looked up: {error}") from error
        if webhook is None:
            raise ReceiverNotFoundError(f"channel {channel} has no webhook")
        sender = await self._sender(channel, webhook.secret)
        await sender.send(message.model_copy(update={"recipient": webhook.url}))

    async def _webhook(self, channel: str) -> Webhook | None:
        async with self._reads.connect() as connection:
            return await channels.webhook(connection, channel)

    async def close(self) -> None:
        """Close the connections."""
        while self._senders:
            await self._senders.popitem()[1][1].close()

    async def _sender(self, channel: str, secret: str) -> WebhookSender:
        known = self._senders.get(channel)
        if known is not None and known[0] == secret:
            return known[1]
        try:
            sender = WebhookSender(secret)
        except ValueError as error:
            raise OutsideFailure(f"channel {channel}: {error}") from error
        self._senders[channel] = secret, sender
        if known is not None:
            await known[1].close()
        return sender
