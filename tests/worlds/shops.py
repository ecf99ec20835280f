"""Shops in the tests: a stub of a platform, a channel that is connected to it, and what travels between them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.secrets.port import SecretStore
from dom.channels.channel import Channel
from dom.channels.connection import Connection
from dom.channels.mapping.reading import check
from services import channel_connections, channel_inbox
from services.channel_connections import Connections
from services.database import Database
from simulator.platforms.manners import Deliveries
from store import channels
from store.inbox import mappings
from store.inbox.messages import KeptMessage


class GivenSecrets:
    """A secret store of a test."""

    def __init__(self, secrets: Mapping[tuple[str, str], str]) -> None:
        self._secrets = secrets

    def get(self, owner: str, name: str) -> str | None:
        """The secret; None if there is none."""
        return self._secrets.get((owner, name))


def template(name: str) -> str:
    """A mapping as it is delivered for a platform."""
    return (files("connectors.channels") / "templates" / f"{name}.yaml").read_text()


async def connect(engine: AsyncEngine, channel: str, connection: Connection, mapping: str) -> None:
    """A channel that is connected, with its mapping."""
    published = check(mapping).publishable()
    async with engine.begin() as opened:
        await channels.put(opened, Channel(id=channel, name=channel))
        await mappings.publish(opened, channel, published, source=mapping, comment="", by="test")
        await channel_connections.connect(opened, channel, connection, Database(engine=engine).now())


async def arrive(
    engine: AsyncEngine, secrets: SecretStore, channel: str, deliveries: Deliveries
) -> list[KeptMessage | None]:
    """What a shop sent arrives at our door."""
    database = Database(engine=engine)
    return [
        await channel_inbox.deliver(database, secrets, channel, each.headers, each.body) for each in deliveries.take()
    ]


def connections(
    engine: AsyncEngine,
    secrets: Mapping[tuple[str, str], str],
    app: Any,
    now: Callable[[], datetime] | None = None,
) -> tuple[Database, Connections]:
    """A database by a test's clock, and channels whose platform is a stub."""
    database = Database(engine=engine) if now is None else Database(engine=engine, now=now)
    return database, Connections(database, GivenSecrets(secrets), transport=reached(app))


def not_connected(engine: AsyncEngine) -> Connections:
    """Channels of which none is connected."""
    return Connections(Database(engine=engine), GivenSecrets({}))


def reached(app: Any) -> httpx.AsyncBaseTransport:
    """A stub's API, without a network between."""
    return httpx.ASGITransport(app=app)
