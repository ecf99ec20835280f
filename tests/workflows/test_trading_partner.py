"""A trading partner, both ways: his orders come in as files, and what becomes of them goes out as files."""

import asyncio
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.channels.connection import Feed, Platform
from dom.orders.calls import CancelCall, CancelLine
from processes.channel_orders import order_calls
from services import channel_feeds
from tests.workflows.test_channel_orders import settled
from tests.worlds.books import check_books, rows
from tests.worlds.dropping import connection
from tests.worlds.running import House
from tests.worlds.shops import connect, connections, template
from tests.worlds.trading import X12_IDS, answers, change_860, interchange_x12, lines_850, named, order_850


async def test_orders_come_in_and_answers_go_out(temporal_client: Client, world: AsyncEngine, tmp_path: Path) -> None:
    how = connection(tmp_path, Platform.X12, **X12_IDS).model_copy(update={"pull_seconds": 60, "tells": True})
    await connect(world, "edi", how, template("x12"))
    order = [each.replace("IL*62701*US", "*LS1 4AP*GB") for each in order_850("11701", lines_850(A=3, B=1))]

    async def receive(body: bytes) -> list[str]:
        (tmp_path / "a.edi").write_bytes(body)
        database, connected = connections(world, {}, None)
        until = asyncio.get_running_loop().time() + 60
        await channel_feeds.read(database, connected, "edi", Feed.ORDERS, asyncio.Event(), until)
        outcomes = await settled(world)
        await house.told()
        return outcomes

    async with House(temporal_client, world, secrets={}).working() as house:
        assert await receive(interchange_x12(1, order)) == ["captured"]
        assert named(answers(tmp_path, "response")[0], "BAK", "ACK") == [
            "BAK*00*AD*11701*20260302", "ACK*IA*3*EA", "ACK*IA*1*EA",
        ]  # fmt: skip
        changed = interchange_x12(2, change_860("11701", ["POC*1*QD*2**EA*2.5**VP*A"]), kind="860", time="1300")
        assert await receive(changed) == ["captured", "changed"]
        await check_books(world, reserved=3)
        calls = order_calls(house.client, house.task_queue, house.engine)
        lines = (CancelLine(line_id="2", quantity=1),)
        await calls.cancel("edi-11701", CancelCall(lines=lines), "staff")
        await house.told()
    assert named(answers(tmp_path, "response")[-1], "BAK", "ACK") == [
        "BAK*04*AC*11701*20260302", "ACK*IA*2*EA", "ACK*IR*1*EA",
    ]  # fmt: skip
    assert [int(found[0][13]) for found in answers(tmp_path)] == [1, 2, 3, 4]
    assert [kind for (kind,) in await rows(world, "SELECT kind FROM channel_told ORDER BY told_at")] == [
        "accept", "cancel",
    ]  # fmt: skip
