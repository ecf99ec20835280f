"""Changes over HTTP: every one at least once, page by page or as they happen, whatever happens in between."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.ports import free_port
from dom.channels.channel import Channel, ChannelRule
from dom.shared.access import Limits, Role
from settings import Settings
from store import channels, stock
from store.access.credentials import API_KEYS
from store.database import engine as database
from store.enums import LedgerKind
from store.stock import Movement
from tests.worlds.access import HEADERS, key_of
from tests.worlds.databases import Databases

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LISTENERS = 120
EACH = 12
"""The places of one caller."""
PATIENCE = 15.0


@asynccontextmanager
async def api(url: str, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The API as a process of its own, as it runs in a house."""
    settings = Settings(
        database_url=url, temporal_address="127.0.0.1:1", api_port=port, stream_listeners=LISTENERS, log_level="WARNING"
    )
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "api"],
        cwd=Path(__file__).parents[3],
        env=os.environ | settings.as_environment(),
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/health/live")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    await asyncio.sleep(0.05)
        yield process
    finally:
        process.kill()
        _, said = process.communicate()
    assert b"Traceback" not in said, said.decode()
    assert b"garbage collector" not in said, said.decode()


@pytest.fixture(scope="module")
def url(databases: Databases, world_template: str) -> Iterator[str]:
    with databases.fresh(world_template) as url:
        yield url


@pytest.fixture(scope="module")
async def house(url: str) -> AsyncIterator[AsyncEngine]:
    engine = database.create(url, 8)
    async with engine.begin() as connection:
        await channels.put(connection, Channel(id="web", name="Web", low_at=5))
        await channels.put(connection, Channel(id="market", name="Market", low_at=5))
        await channels.replace_rules(connection, "market", [ChannelRule(share=50)])
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def http(url: str, house: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    async with (
        api(url, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", timeout=40, headers=HEADERS) as client,
    ):
        yield client


async def receive(engine: AsyncEngine, sku: str, quantity: int = 1, hold: float = 0.0) -> None:
    movement = Movement("st-york", sku, quantity, LedgerKind.RECEIPT, "test", uuid4().hex)
    async with engine.begin() as connection:
        await stock.move(connection, movement, actor="test", at=NOW)
        await asyncio.sleep(hold)


async def fresh_skus(engine: AsyncEngine, count: int) -> list[str]:
    names = [f"S{uuid4().hex[:10].upper()}" for _ in range(count)]
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO skus (id, document) SELECT n, document || jsonb_build_object('id', n)
            FROM skus, unnest(CAST(:names AS text[])) AS n WHERE id = 'A'"""),
            {"names": names},
        )
    return names


async def changes(http: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await http.get("/availability/changes", params={"channel": "web", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def events(http: httpx.AsyncClient, **query: Any) -> AsyncGenerator[dict[str, Any], None]:
    """Events as they come: their fields, the data read."""
    headers = {"last-event-id": query.pop("last_event_id")} if "last_event_id" in query else {}
    async with http.stream(
        "GET", "/availability/stream", params={"channel": "web", **query}, headers=headers
    ) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name or "comment"] = json.loads(value) if name == "data" else value
            elif event:
                yield event
                event = {}


async def quantity_of(http: httpx.AsyncClient, sku: str, channel: str = "web") -> int:
    answer = await http.get("/availability", params={"sku": sku, "channel": channel})
    return int(answer.json()["items"][0]["available"])


async def test_from_now_on_and_page_by_page(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    now = await changes(http)
    assert now["items"] == []
    one, two, three = await fresh_skus(house, 3)
    for sku, quantity in ((one, 1), (two, 9), (one, 4), (three, 2)):
        await receive(house, sku, quantity)
    first = await changes(http, cursor=now["next_cursor"], limit=2)
    assert first["items"] == [
        {"sku": two, "quantity": 9, "level": "in_stock"},
        {"sku": one, "quantity": 5, "level": "low"},
    ]
    rest = await changes(http, cursor=first["next_cursor"], limit=2)
    assert rest["items"] == [{"sku": three, "quantity": 2, "level": "low"}]
    end = await changes(http, cursor=rest["next_cursor"])
    assert end == {"items": [], "next_cursor": rest["next_cursor"]}


async def test_from_the_start_everything_is_told(http: httpx.AsyncClient) -> None:
    cursor, heard = "start", set()
    while (page := await changes(http, cursor=cursor, limit=3))["items"]:
        assert len(page["items"]) <= 3
        heard |= {item["sku"] for item in page["items"]}
        cursor = page["next_cursor"]
    assert {"A", "B", "RARE", "FAR"} <= heard


async def test_each_channel_is_told_what_it_may_have(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    now = await changes(http)
    (sku,) = await fresh_skus(house, 1)
    await receive(house, sku, 8)
    told = {name: (await changes(http, cursor=now["next_cursor"], channel=name))["items"] for name in ("web", "market")}
    assert told == {
        "web": [{"sku": sku, "quantity": 8, "level": "in_stock"}],
        "market": [{"sku": sku, "quantity": 4, "level": "low"}],
    }
    answer = await http.get("/availability/changes", params={"cursor": now["next_cursor"]})
    assert answer.json()["items"] == [{"sku": sku, "quantity": 8, "level": "in_stock"}]


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", "WyJhIiwiYiJd", "WyItMSIsIjEiXQ", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OSIsIjEiXQ", "WyLCsiIsIjEiXQ"],
)
@pytest.mark.parametrize("path", ["changes", "stream"])
async def test_what_is_no_cursor_is_refused(http: httpx.AsyncClient, path: str, cursor: str) -> None:
    answer = await http.get(f"/availability/{path}", params={"channel": "web", "cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-input"
    assert answer.json()["field"] == "cursor"


async def test_a_cursor_of_another_database_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/availability/changes", params={"cursor": "WyI0NjExNjg2MDE4NDI3Mzg3OTA0IiwiMSJd"})
    assert answer.status_code == 422
    assert "start" in answer.json()["detail"]


async def test_waiting_ends_with_the_change_or_with_the_time(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    (sku,) = await fresh_skus(house, 1)
    now = await changes(http)
    began = time.monotonic()
    waiting = asyncio.create_task(changes(http, cursor=now["next_cursor"], wait=20))
    await asyncio.sleep(0.7)
    await receive(house, sku, 3)
    assert (await waiting)["items"] == [{"sku": sku, "quantity": 3, "level": "low"}]
    assert time.monotonic() - began < 5
    began = time.monotonic()
    end = await changes(http, cursor=(await waiting)["next_cursor"], wait=0.6)
    assert end["items"] == []
    assert 0.5 < time.monotonic() - began < 5
    assert (await http.get("/availability/changes", params={"wait": 31})).status_code == 422


async def test_paging_beside_writers_misses_none(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    """Every SKU changes once: whoever is passed over is never heard of. Holds make commits overtake each other."""
    skus = await fresh_skus(house, 160)
    cursor = (await changes(http))["next_cursor"]

    async def write(mine: list[str]) -> None:
        for number, sku in enumerate(mine):
            await receive(house, sku, 1, hold=0.001 * (number * 7 % 13))

    writing = asyncio.gather(*(write(skus[part::6]) for part in range(6)))
    heard: list[str] = []
    while True:
        done = writing.done()
        page = await changes(http, cursor=cursor, limit=5)
        heard += [item["sku"] for item in page["items"]]
        cursor = page["next_cursor"]
        if done and not page["items"]:
            break
    await writing
    assert set(heard) >= set(skus)


async def test_the_stream_goes_on_where_it_was_cut_off(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    skus = await fresh_skus(house, 90)
    heard: list[str] = []
    last = (await changes(http))["next_cursor"]
    writing = asyncio.create_task(_write_slowly(house, skus))
    async with asyncio.timeout(60):
        while not set(heard) >= set(skus):
            async with aclosing(events(http, last_event_id=last)) as stream:
                count = 0
                async for event in stream:
                    last = event["id"]
                    heard += [item["sku"] for item in event.get("data", {"items": []})["items"]]
                    count += 1
                    if count == 3 or set(heard) >= set(skus):
                        break  # the line is cut
            await asyncio.sleep(0.05)
    await writing


async def _write_slowly(engine: AsyncEngine, skus: list[str]) -> None:
    for sku in skus:
        await receive(engine, sku)
        await asyncio.sleep(0.02)


async def test_all_listeners_hear_the_same_and_last_what_is_so(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    skus = await fresh_skus(house, 5)
    last: list[dict[str, int]] = [{} for _ in range(8)]
    ready = asyncio.Semaphore(0)

    async def listen(number: int) -> None:
        channel = "market" if number % 2 else "web"
        async with aclosing(events(http, channel=channel)) as stream:
            async for event in stream:
                ready.release()
                for item in event.get("data", {"items": []})["items"]:
                    last[number][item["sku"]] = item["quantity"]
                if all(last[number].get(sku) == (10 if number % 2 else 20) for sku in skus):
                    return

    listening = [asyncio.create_task(listen(number)) for number in range(8)]
    for _ in listening:
        await ready.acquire()
    for _ in range(20):
        await asyncio.gather(*(receive(house, sku) for sku in skus))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*listening)


async def test_a_stream_from_the_start_catches_up_and_goes_on(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    (sku,) = await fresh_skus(house, 1)
    heard: set[str] = set()
    async with asyncio.timeout(PATIENCE), aclosing(events(http, cursor="start")) as stream:
        async for event in stream:
            heard |= {item["sku"] for item in event.get("data", {"items": []})["items"]}
            if {"A", "B", "RARE", "FAR"} <= heard and sku not in heard:
                await receive(house, sku)
            if sku in heard:
                break


async def test_one_caller_has_so_many_places_and_one_is_given_back(http: httpx.AsyncClient, house: AsyncEngine) -> None:
    other = await key_of(house, Role.CHANNEL, Limits.of(channels=["web"]))

    async def hold(ready: asyncio.Semaphore) -> None:
        async with aclosing(events(http)) as stream:
            async for _ in stream:
                ready.release()

    ready = asyncio.Semaphore(0)
    async with asyncio.timeout(PATIENCE):
        held = [asyncio.create_task(hold(ready)) for _ in range(EACH)]
        for _ in held:
            await ready.acquire()
        for path, query in (("stream", {}), ("changes", {"wait": 5})):
            refused = await http.get(f"/availability/{path}", params=query)
            assert refused.status_code == 503
            assert refused.json()["type"] == "/problems/too-many-listeners"
            assert "retry-after" in refused.headers
        async with http.stream("GET", "/availability/stream", params={"channel": "web"}, headers=other) as answer:
            assert answer.status_code == 200, "another caller has places of its own"
        assert (await changes(http))["items"] == [], "who does not wait takes no place"
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        while True:
            async with http.stream("GET", "/availability/stream") as answer:
                if answer.status_code == 200:
                    break
            await asyncio.sleep(0.1)


async def _made(engine: AsyncEngine, expires_in: float | None = None) -> dict[str, str]:
    """The headers of an operator's key, which may expire soon."""
    headers = await key_of(engine, Role.OPERATOR, Limits())
    if expires_in is not None:
        async with engine.begin() as connection:
            await API_KEYS.expire_in(connection, headers["X-API-Key"].split("_")[1], expires_in)
    return headers


@pytest.mark.parametrize("busy", [True, False])
async def test_a_stream_ends_with_the_key_it_came_with(http: httpx.AsyncClient, house: AsyncEngine, busy: bool) -> None:
    """Whether anything changes meanwhile or not; one with a key that counts goes on."""
    writing = asyncio.create_task(_write_slowly(house, await fresh_skus(house, 400 if busy else 0)))

    async def ended(headers: dict[str, str], revoke: bool) -> float:
        began = time.monotonic()
        url = "/availability/stream"
        async with http.stream("GET", url, headers=headers, params={"channel": "web"}) as answer:
            async for line in answer.aiter_lines():
                if line and revoke:
                    async with house.begin() as connection:
                        await API_KEYS.revoke(connection, headers["X-API-Key"].split("_")[1], "tests")
                    revoke = False
        return time.monotonic() - began

    going_on = asyncio.create_task(ended(await _made(house), revoke=False))
    async with asyncio.timeout(PATIENCE):
        lasted = await asyncio.gather(
            ended(await _made(house), revoke=True), ended(await _made(house, expires_in=1), revoke=False)
        )
    assert max(lasted) < 12
    assert not going_on.done()
    for task in (going_on, writing):
        task.cancel()
    await asyncio.gather(going_on, writing, return_exceptions=True)


async def test_who_waits_with_a_key_that_ends_meanwhile_hears_nothing(
    http: httpx.AsyncClient, house: AsyncEngine
) -> None:
    headers = await _made(house, expires_in=1)
    at = (await changes(http))["next_cursor"]
    answer = await http.get("/availability/changes", headers=headers, params={"cursor": at, "wait": 2})
    assert answer.status_code == 401


async def test_the_process_ends_though_somebody_listens(url: str, house: AsyncEngine) -> None:
    port = free_port()
    async with (
        api(url, port) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", timeout=40, headers=HEADERS) as http,
    ):
        cursor = (await changes(http))["next_cursor"]
        waiting = asyncio.create_task(changes(http, cursor=cursor, wait=30))
        async with aclosing(events(http)) as stream:
            await anext(stream)
            await asyncio.sleep(0.5)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert [event async for event in stream] == [], "the stream ends as streams end"
        assert await waiting == {"items": [], "next_cursor": cursor}
        assert await asyncio.to_thread(process.wait, 10) == -signal.SIGTERM
        assert time.monotonic() - began < 5
