"""`dom ofl rehearse` and `dom ofl shadow`: recorded orders decided again, from the command line."""

import asyncio
import json
from pathlib import Path

import pytest

from store.database import engine as database
from tests.cli.conftest import Dom
from tests.worlds.rehearsing import TOGETHER, accept


@pytest.fixture
def sold(world_url: str) -> None:
    """Two orders, one of which no node fills alone."""

    async def sell() -> None:
        engine = database.create(world_url, 2)
        await accept(engine, "1", A=2, FAR=2)
        await accept(engine, "2", A=1)
        await engine.dispose()

    asyncio.run(sell())


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    file = tmp_path / "together.json"
    file.write_text(TOGETHER.model_dump_json())
    return file


@pytest.mark.usefixtures("sold")
class TestRehearse:
    def test_the_live_policy_decides_as_it_did(self, dom: Dom) -> None:
        result = dom("ofl", "rehearse", "--orders", "all")
        assert result.exit_code == 0, result.output
        assert "2 decisions of version 1 (small); made again: 2 same" in result.output
        assert "0 orders get another plan" in result.output

    def test_a_draft_is_compared_and_reported(self, dom: Dom, draft: Path, tmp_path: Path) -> None:
        page, data = tmp_path / "report.html", tmp_path / "report.json"
        files = ("--report", str(page), "--json", str(data))
        result = dom("ofl", "rehearse", "--policy", str(draft), "--orders", "last-30-days", *files)
        assert result.exit_code == 0, result.output
        assert "1 orders get another plan" in result.output
        assert "web-1: " in result.output
        assert json.loads(data.read_text())["orders_changed"] == 1
        assert "<svg" in page.read_text()
        assert "web-1" in page.read_text()

    def test_a_check_fails_where_a_plan_changes(self, dom: Dom, draft: Path) -> None:
        assert dom("ofl", "rehearse", "--policy", str(draft), "--orders", "all", "--check").exit_code == 1
        assert dom("ofl", "rehearse", "--policy", "1", "--orders", "all", "--check").exit_code == 0
        assert dom("ofl", "rehearse", "--policy", "live", "--orders", "last-1-order", "--check").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--orders", "some"), "say which orders"),
            (("--policy", "7"), "version 7 was never published"),
            (("--policy", "nobody"), "there is no draft nobody"),
            (("--policy", "missing.yaml"), "missing.yaml cannot be read"),
        ],
    )
    def test_what_cannot_be_rehearsed_is_said_in_a_line(self, dom: Dom, arguments: tuple[str, ...], said: str) -> None:
        refused = dom("ofl", "rehearse", *arguments)
        assert refused.exit_code == 1
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


class TestShadow:
    def test_from_start_to_stop(self, dom: Dom, draft: Path) -> None:
        assert "there is no draft together" in dom("ofl", "shadow", "start", "together").stderr
        started = dom("ofl", "shadow", "start", "together", "--policy", str(draft))
        assert started.exit_code == 0, started.output
        shown = dom("ofl", "shadow", "show", "together").stdout
        assert "by ada and runs" in shown
        assert "0 of 0 decisions differ" in shown
        assert dom("ofl", "shadow", "stop", "together").exit_code == 0
        assert dom("ofl", "shadow", "stop", "together").exit_code == 1
        assert "together" in dom("ofl", "shadow", "list").stdout
        assert dom("ofl", "shadow", "show", "nobody").exit_code == 1
