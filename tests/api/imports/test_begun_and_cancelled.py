"""Imports and rehearsals that are taken in are begun at once or, where Temporal is away, once it is back."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from bootstrap import temporal
from cli.ports import free_port
from jobs.starting_work import StartingWork
from processes.errors import Unavailable
from settings import Settings
from store import imports
from tests.api.driving import NODE, Channel, new_number, problem
from tests.worlds.access import HEADERS
from tests.worlds.background import doing, header, received, until_import, until_rehearsal
from tests.worlds.books import balance

IMPORTS, REHEARSALS = "/v1/inventory/imports", "/v1/ofl/rehearsals"
CHANGES = {"kind": "deltas", "source": "wms"}


@pytest.fixture
def nobody() -> Settings:
    """Settings with a Temporal that is not there."""
    return Settings(temporal_address=f"127.0.0.1:{free_port()}")


@pytest.fixture
async def alone(world: AsyncEngine, world_url: str, nobody: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API over the small network, without Temporal."""
    app = create_app(nobody.model_copy(update={"database_url": world_url}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30, headers=HEADERS) as http,
    ):
        yield http


async def send(http: httpx.AsyncClient, key: str, rows: int = 3) -> httpx.Response:
    content = "node_id,sku,quantity\n" + "dc-leeds,A,1\n" * rows
    return await http.post(IMPORTS, params=CHANGES, content=content, headers={"Idempotency-Key": key})


async def taken_in(http: httpx.AsyncClient, key: str) -> dict[str, Any]:
    answer = await send(http, key)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestTemporalAway:
    async def test_what_was_taken_in_is_done_once_it_is_back(
        self, alone: httpx.AsyncClient, nobody: Settings, temporal_client: Client, world: AsyncEngine
    ) -> None:
        key = new_number()
        file = await taken_in(alone, key)
        again = await send(alone, key)
        assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, file["id"], "queued")
        asked = await alone.post(REHEARSALS, json={"which": "live", "orders": "all"})
        assert (asked.status_code, asked.json()["status"]) == (202, "queued")
        problem(await alone.get(asked.json()["links"]["report"]), 409, "conflict")
        away = await temporal.connect(nobody, lazy=True)
        with pytest.raises(Unavailable):
            await StartingWork(world, away, "anywhere").run()
        async with doing(temporal_client, world) as work:
            await StartingWork(world, temporal_client, work._durable._task_queue).run()
            assert (await until_import(world, file["id"], "done")).outcomes == {"applied": 3}
            await until_rehearsal(world, asked.json()["id"], "done")
        assert await balance(world, "dc-leeds", "A") == (103, 0)
        assert (await send(alone, key)).json()["status"] == "done"

    async def test_what_was_taken_in_can_be_cancelled(self, alone: httpx.AsyncClient, world: AsyncEngine) -> None:
        file = await taken_in(alone, new_number())
        answer = await alone.post(f"{IMPORTS}/{file['id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled"), answer.text
        assert answer.json()["outcomes"] == {"cancelled": 3}
        assert await imports.unfinished(world) == []
        asked = await alone.post(REHEARSALS, json={"which": "live", "orders": "all"})
        assert (await alone.delete(asked.json()["links"]["self"])).status_code == 200


class TestCancel:
    async def test_names_the_rows_that_were_not_applied(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(0)
        found = await received(engine, 3, f"{NODE},{sku},1")
        where = f"{IMPORTS}/{found.id}"
        answer = await channel.http.post(f"{where}/cancel")
        assert answer.status_code == 200, answer.text
        ended = answer.json()
        assert (ended["status"], ended["rows"], ended["done"]) == ("cancelled", 3, 3)
        assert ended["detail"].startswith("cancelled by ")
        assert ended["finished_at"] is not None
        named = await channel.http.get(f"{where}/problems")
        assert [line.split(",")[5] for line in named.text.splitlines()[1:]] == ["cancelled"] * 3
        assert (await channel.http.post(f"{where}/cancel")).json() == ended, "the same again"
        listed = await channel.http.get(IMPORTS, params={"status": "cancelled", "limit": 1})
        assert listed.json()["items"] == [ended]

    async def test_not_of_one_that_has_ended_and_not_of_none(self, channel: Channel, engine: AsyncEngine) -> None:
        sku = await channel.stocked_sku(0)
        found = await received(engine, 1, f"{NODE},{sku},1")
        await imports.apply_all(engine, found.id)
        refused = problem(await channel.http.post(f"{IMPORTS}/{found.id}/cancel"), 409, "conflict")
        assert refused["data"]["status"] == "done"
        problem(await channel.http.post(f"{IMPORTS}/{header().import_id()}/cancel"), 404, "not-found")


async def test_a_file_is_applied_by_its_workflow(channel: Channel, engine: AsyncEngine) -> None:
    sku, key = await channel.stocked_sku(0), new_number()
    content = f"node_id,sku,quantity\n{NODE},{sku},4\n"
    sent = await channel.http.post(IMPORTS, params=CHANGES, content=content, headers={"Idempotency-Key": key})
    assert sent.status_code == 202, sent.text
    assert (await until_import(engine, sent.json()["id"], "done")).outcomes == {"applied": 1}
