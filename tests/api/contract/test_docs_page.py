"""The page that shows the API: it needs no network but the API's own, and shows every operation in a browser."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from api.app import create_app
from cli.ports import free_port
from settings import Settings

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
RENDER_SECONDS = 60
NOWHERE = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", temporal_address="127.0.0.1:1")
"""The page needs neither server."""


@asynccontextmanager
async def page_client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(NOWHERE))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


@asynccontextmanager
async def listening() -> AsyncIterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(NOWHERE), "127.0.0.1", port, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


def linked(html: str) -> list[str]:
    return re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", html)


class TestFiles:
    async def test_the_page_loads_nothing_from_elsewhere(self) -> None:
        async with page_client() as client:
            page = await client.get("/docs")
            assert page.status_code == 200
            assert not re.search(r"https?://", page.text)
            files = linked(page.text)
            assert files
            for file in files:
                assert not urlsplit(file).netloc, file
                answer = await client.get(file)
                assert (answer.status_code, len(answer.content) > 1000) == (200, True), file

    async def test_nor_do_its_styles(self) -> None:
        async with page_client() as client:
            files = [file for file in linked((await client.get("/docs")).text) if file.endswith(".css")]
            assert files
            for file in files:
                loaded = re.findall(r"url\(\s*[\"']?([^\"')]+)", (await client.get(file)).text)
                assert all(url.startswith(("data:", "#")) for url in loaded)

    async def test_behind_a_path_of_a_proxy_all_is_below_that_path(self) -> None:
        transport = httpx.ASGITransport(create_app(NOWHERE), root_path="/orders-api")
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            page = (await client.get("/docs")).text
        files = linked(page)
        assert files
        assert all(file.startswith("/orders-api/docs/files/") for file in files)
        assert "/orders-api/openapi.json" in page

    @pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect"])
    async def test_there_is_no_other_page_that_would_need_the_network(self, path: str) -> None:
        async with page_client() as client:
            assert (await client.get(path)).status_code == 404

    async def test_the_page_is_no_part_of_the_contract(self) -> None:
        async with page_client() as client:
            assert not [
                path for path in (await client.get("/openapi.json")).json()["paths"] if path.startswith("/docs")
            ]


def requested(log: dict[str, Any], page: str) -> set[str]:
    """The hosts that a page asked for something, by the browser's log; what the browser wants itself is left out."""
    asked = [event.get("params", {}) for event in log["events"]]
    return {urlsplit(each["url"]).netloc for each in asked if "url" in each and each.get("initiator") == page}


async def browse(url: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """The page as the browser has built it, and what it asked the network for; no name is resolved meanwhile."""
    assert CHROMIUM is not None
    log = folder / "network.json"
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1200,1600 "
        "--virtual-time-budget=20000"
    )
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *flags.split(),
        f"--user-data-dir={folder / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--log-net-log={log}",
        "--dump-dom",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        shown, _ = await asyncio.wait_for(process.communicate(), RENDER_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return shown.decode(), json.loads(log.read_text())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: `apt-get install chromium` to look at /docs in a browser")
async def test_a_browser_without_network_shows_every_operation(tmp_path: Path) -> None:
    async with listening() as api:
        shown, log = await browse(f"{api}/docs", tmp_path)
        async with httpx.AsyncClient(base_url=api) as client:
            paths = (await client.get("/openapi.json")).json()["paths"]
    for path in paths:
        assert f'data-path="{path}"' in shown, path
    assert requested(log, api) == {urlsplit(api).netloc}
