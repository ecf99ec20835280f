"""Orders that come in files and by EDI: read by the channel's feed, kept in its inbox, told to the partner."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.connection import Connection, Feed, Platform
from dom.channels.telling import StepKind
from services import channel_feeds, channel_intake, channel_telling
from tests.worlds.books import rows
from tests.worlds.direct_calls import direct_calls
from tests.worlds.dropping import connection
from tests.worlds.shops import connect, connections, template
from tests.worlds.trading import EDIFACT_IDS, X12_IDS, interchange_x12, lines_850, order_850

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


async def test_a_partner_s_order_is_captured_and_answered(world: AsyncEngine, tmp_path: Path) -> None:
    segments = [
        "N4*York**YO1 7EP*GB" if each.startswith("N4*") else each for each in order_850("PO-9001", lines_850(A=2, B=1))
    ]
    (tmp_path / "in.x12").write_bytes(interchange_x12(1, segments))
    how = connection(tmp_path, Platform.X12, **X12_IDS).model_copy(update={"tells": True, "pull_seconds": 60})
    await connect(world, "feed", how, template(Platform.X12))
    database, connected = connections(world, {}, None)
    until = asyncio.get_running_loop().time() + 60
    await channel_feeds.read(database, connected, "feed", Feed.ORDERS, asyncio.Event(), until)
    await channel_intake.take_in(database, connected, direct_calls(database), "feed", "PO-9001")
    assert await rows(world, "SELECT outcome, detail FROM channel_messages") == [("captured", "")]
    partner = await connected.of("feed")
    assert partner is not None
    told = await channel_telling.tell(database, partner, "feed-PO-9001")
    again = await channel_telling.tell(database, partner, "feed-PO-9001")
    assert ([step.kind for step in told], again) == ([StepKind.ACCEPT], [])
    answers = [each.read_text() for each in sorted((tmp_path / "out").iterdir())]
    assert [kind for kind in ("997", "855") for each in answers if f"ST*{kind}*" in each] == ["997", "855"]
