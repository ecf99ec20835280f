"""Channels are told what became of their orders, in their platforms' own words.

What is told is the difference between the order here and the platform's present state, worked out each time anew. A
step that was carried out and not written down, because somebody died in between, is found there and not done again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import RowMapping

from connectors.channels.port import Ability, ChannelConnector, ListedOrder
from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, TemporaryFailureError
from dom.channels.channel_order import ChannelOrder
from dom.channels.telling import TellStep, steps
from dom.shared.errors import OutsideFailure
from services.channel_connections import Connected, Connections, understood
from services.database import Database
from store.connections import told
from store.inbox import channel_orders
from store.notifications import messages, outbox

_log = structlog.get_logger("channels")
_ROUNDS: Final = 100
"""Each thing that changes the order there is followed by another look at it."""


class ChannelTelling:
    """A `Sender` of messages that say of an order (`order_id` in the payload) that its channel is to be told."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections

    async def send(self, message: OutboundMessage) -> None:
        """Tell the platform what it does not know of the order.

        ReceiverNotFoundError for a channel that is told nothing any more; TemporaryFailureError while it is paused or
        does not answer; OutsideFailure for what its platform refuses.
        """
        connected = await self._connections.of(message.recipient)
        if connected is None or not connected.connection.tells:
            raise ReceiverNotFoundError(f"channel {message.recipient} is told nothing")
        if connected.paused:
            raise TemporaryFailureError(f"channel {message.recipient} is paused")
        await tell(self._database, connected, message.payload["order_id"])

    async def close(self) -> None:
        """Let go of open connections."""
        await self._connections.close()


async def tell(database: Database, connected: Connected, order_id: str) -> Sequence[TellStep]:
    """Tell the channel's platform what it does not know of the order; answers the steps. Raises as a connector does."""
    carried_out: list[TellStep] = []
    for _ in range(_ROUNDS):
        row, done = await _standing(database, order_id)
        if row is None:
            break
        reference = row["reference"] or row["number"] or row["external_id"]
        with understood(connected.channel):
            body = await connected.connector.order(reference)
            if body is None:
                raise OutsideFailure(f"the platform of {connected.channel} has no order {reference}")
            wanted = _wanted(connected.connector, row, done, body)
        if not wanted:
            break
        carried_out += await _until_changed(database, connected, order_id, body, wanted)
        if carried_out[-1].whole:
            break
    return carried_out


async def _until_changed(
    database: Database, connected: Connected, order_id: str, body: bytes, wanted: Sequence[TellStep]
) -> list[TellStep]:
    """Carry steps out until one changes the order there: the others are to be worked out of what it is then."""
    carried_out = []
    for step in wanted:
        await _carry_out(database, connected, order_id, body, step)
        carried_out.append(step)
        if step.known is None:
            break
    return carried_out


async def _standing(database: Database, order_id: str) -> tuple[RowMapping | None, Mapping[str, str]]:
    async with database.transaction() as connection:
        return await told.order(connection, order_id), await told.done(connection, order_id)


def _wanted(connector: ChannelConnector, row: RowMapping, done: Mapping[str, str], body: bytes) -> tuple[TellStep, ...]:
    ours = told.as_ours(row, _agreed(row["document"]))
    return steps(ours, connector.known(body), done, connector.tells)


def _agreed(document: Mapping[str, Any] | None) -> dict[str, int]:
    """Units by line that the channel wanted by the last state of it that was carried out."""
    found: dict[str, int] = {}
    if document is not None:
        for line in ChannelOrder.model_validate(document).lines:
            if not line.ships:
                continue  # it was never captured: it is the channel's own matter
            found[line.line_id] = found.get(line.line_id, 0) + line.wanted
    return found


async def _carry_out(database: Database, connected: Connected, order_id: str, body: bytes, step: TellStep) -> None:
    platform_id, connector = step.known, connected.connector
    if platform_id is None:
        with understood(connected.channel):
            platform_id = (await connector.carry_out(connector.known(body), step)).platform_id
    async with database.transaction() as connection:
        await told.note(connection, order_id, step, platform_id)


async def compare(database: Database, connected: Connected, orders: Sequence[ListedOrder]) -> None:
    """Of orders as their platform lists them: have those told anew of which it does not know what it should."""
    if not connected.connection.tells or Ability.TELL not in connected.connector.abilities:
        return
    for each in orders:
        try:
            reference = connected.connector.known(each.body).reference
            async with database.statement() as connection:
                order_id = await channel_orders.order_of(connection, connected.channel, reference)
        except (ValueError, LookupError, TypeError):  # what cannot be read is in quarantine
            continue
        if order_id is None:
            continue
        row, done = await _standing(database, order_id)
        wanted = () if row is None else _wanted(connected.connector, row, done, each.body)
        if wanted:
            kinds = sorted({step.kind for step in wanted})
            _log.info("a channel does not know how an order stands", order_id=order_id, lacks=kinds)
            # Once a day for the same: what is refused is before a person, and is not refused every hour.
            keys = hashlib.sha256("+".join([step.key for step in wanted]).encode()).hexdigest()[:32]
            key = f"compared/{database.now():%Y-%m-%d}/{keys}"
            async with database.transaction() as connection:
                await outbox.write(connection, messages.to_platform(order_id, key))
