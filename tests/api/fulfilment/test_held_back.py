"""Work that is held back: its node does not see it, and can report nothing of it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.driving import Channel, order, problem


async def release_at(engine: AsyncEngine, order_id: str, at: datetime) -> None:
    async with engine.begin() as connection:
        query = text("UPDATE fulfilments SET released_at = :at WHERE order_id = :id")
        await connection.execute(query, {"at": at, "id": order_id})


@pytest.mark.parametrize("step", ["accept", "reject", "pick", "pack"])
async def test_a_report_is_refused_until_it_is_released(channel: Channel, engine: AsyncEngine, step: str) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    fulfilment_id = f"{order_id}-F1"
    await release_at(engine, order_id, datetime.now(UTC) + timedelta(hours=1))
    problem(await channel.step(fulfilment_id, step), 404, "not-found")
    listed = (await channel.http.get("/v1/fulfilments", params={"node": "dc-daventry", "limit": 200})).json()["items"]
    assert fulfilment_id not in {item["id"] for item in listed}
    assert (await channel.get(order_id))["fulfilments"][0]["status"] == "released"
    await release_at(engine, order_id, datetime.now(UTC) - timedelta(seconds=1))
    assert (await channel.step(fulfilment_id, step)).status_code == 200


async def test_its_order_shows_it_all_the_same(channel: Channel, engine: AsyncEngine) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    await release_at(engine, order_id, datetime.now(UTC) + timedelta(hours=1))
    listed = (await channel.http.get("/v1/fulfilments", params={"order": order_id})).json()["items"]
    assert [item["id"] for item in listed] == [f"{order_id}-F1"]
    await release_at(engine, order_id, datetime.now(UTC))
    assert (await channel.step(f"{order_id}-F1", "accept")).status_code == 200


async def test_recalled_work_takes_no_report(channel: Channel, engine: AsyncEngine) -> None:
    order_id = await channel.place(order(await channel.stocked_sku(10)))
    async with engine.begin() as connection:
        query = text("UPDATE fulfilments SET status = 'recalled' WHERE order_id = :id")
        await connection.execute(query, {"id": order_id})
    problem(await channel.step(f"{order_id}-F1", "accept"), 409, "step-not-possible")
