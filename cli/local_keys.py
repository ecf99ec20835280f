"""The keys of `dom up`: made once for its data folder, printed once, kept there readable by their owner only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cli.folder import DataFolder, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.api_keys import NewKey

OPERATOR = "operator"
"""The key that may do everything; the others are of all channels, nodes and carriers there were when they were made."""


def ensure(database_url: str, folder: DataFolder) -> Mapping[str, str]:
    """The keys that were made now, by name; none where those that are kept still work."""
    return asyncio.run(_ensure(database_url, folder))


async def _ensure(database_url: str, folder: DataFolder) -> dict[str, str]:
    from services.api_keys import KEYS
    from services.credentials import COMMAND_LINE
    from store.database import engine

    folder.keys.mkdir(mode=0o700, exist_ok=True)
    pool = engine.create(database_url, 1)
    try:
        async with pool.begin() as connection:
            made = {}
            for name, asked in (await _wanted(connection)).items():
                if not await _works(connection, folder, name):
                    made[name] = (await KEYS.create(connection, COMMAND_LINE, asked)).plaintext
    finally:
        await pool.dispose()
    for name, key in made.items():
        write_private(folder.key_file(name), key)
    return made


async def _wanted(connection: AsyncConnection) -> dict[str, NewKey]:
    from dom.shared.access import Limits, Role
    from services.api_keys import NewKey
    from store import channels
    from store.reports import lists

    everything = 1_000_000
    nodes = await lists.list_nodes(connection, lists.NodeFilter(), after=None, limit=everything)
    carriers = await lists.list_carriers(connection, after=None, limit=everything)
    limits = {
        Role.CHANNEL: Limits.of(channels=[each.id for each in await channels.everyone(connection)]),
        Role.NODE: Limits.of(nodes=[str(each["id"]) for each in nodes]),
        Role.CARRIER: Limits.of(carriers=[row["carrier"] for row in carriers]),
    }
    partners = {
        f"{role}s": NewKey(f"local {role}s", role, limit)
        for role, limit in limits.items()
        if limit.channels or limit.nodes or limit.carriers
    }
    return {OPERATOR: NewKey("local operator", Role.OPERATOR), **partners}


async def _works(connection: AsyncConnection, folder: DataFolder, name: str) -> bool:
    """Whether the key that is kept is one of this database: its folder may have been replaced."""
    from services import api_keys
    from services.credentials import is_live
    from store.access import api_keys as rows

    file = folder.key_file(name)
    found = api_keys.parts(file.read_text().strip()) if file.exists() else None
    row = await rows.find(connection, found[0]) if found else None
    return row is not None and found is not None and api_keys.is_secret(row, found[1]) and is_live(row, row["now"])
