"""Orders that come in files and by EDI: read by the channel's feed, kept in its inbox, told to the partner."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.connection import Connection, Feed, Platform
from services import channel_feeds
from tests.worlds.books import rows
from tests.worlds.dropping import connection
from tests.worlds.shops import connect, connections, template
from tests.worlds.trading import EDIFACT_IDS, X12_IDS

SAMPLES = Path(__file__).parents[1] / "mappings" / "samples"


async def read(engine: AsyncEngine, how: Connection) -> channel_feeds.FeedRead:
    """Connect a channel, and read its orders to the end."""
    await connect(engine, "feed", how.model_copy(update={"pull_seconds": 60}), template(how.platform))
    database, connected = connections(engine, {}, None)
    until = asyncio.get_running_loop().time() + 60
    return await channel_feeds.read(database, connected, "feed", Feed.ORDERS, asyncio.Event(), until)


@pytest.mark.parametrize(
    ("platform", "sample", "settings", "numbers"),
    [
        (Platform.FILES, "orders.csv", {"order_column": "order_number"}, ["SO-1001", "SO-1002"]),
        (Platform.X12, "850.x12", X12_IDS, ["PO-7781"] * 3),
        (Platform.EDIFACT, "orders.edi", EDIFACT_IDS, ["PO-7781"] * 3),
    ],
)
async def test_every_order_of_a_file_is_a_message(
    world: AsyncEngine, tmp_path: Path, platform: Platform, sample: str, settings: dict[str, Any], numbers: list[str]
) -> None:
    for name in (sample, f"again-{sample}"):
        (tmp_path / name).write_bytes((SAMPLES / sample).read_bytes())
    (tmp_path / "broken").write_bytes(b"no order")
    done = await read(world, connection(tmp_path, platform, **settings))
    assert (done.read, done.more) == (len(numbers) + 1, False)
    told = "SELECT order_number, outcome FROM channel_messages WHERE outcome = '{}' ORDER BY id"
    assert [number for number, _ in await rows(world, told.format("received"))] == numbers
    assert list(await rows(world, told.format("quarantined"))) == [(None, "quarantined")]
    assert list(await rows(world, "SELECT * FROM channel_message_repeats")) == []


async def test_a_position_outlives_the_end_of_a_run(world: AsyncEngine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes((SAMPLES / "orders.csv").read_bytes())
    done = await read(world, connection(tmp_path, order_column="order_number", settle_seconds=3_600))
    ((position,),) = await rows(world, "SELECT position FROM channel_feeds")
    assert done.read == 0
    assert position["page"]["watched"]["orders.csv"][2] <= time.time()
