"""`dom ofl explain` says why, first in sentences."""

import asyncio
import json

import pytest

from services.database import Database
from store.database import engine
from tests.cli.conftest import Dom
from tests.worlds import small
from tests.worlds.captured import accept


def capture(url: str, number: str, **lines: int) -> None:
    async def work() -> None:
        pool = engine.create(url, 1)
        await accept(Database(pool), small.order(number, **lines))
        await pool.dispose()

    asyncio.run(work())


class TestExplain:
    def test_sentences_then_nodes_then_costs_then_what_would_change_it(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", A=6)
        told = dom("ofl", "explain", "web-7")
        assert told.exit_code == 0, told.output
        screen = told.stdout
        parts = [
            "web-7: decided once",
            "- Dc Leeds sends all 6 units",
            "3 nodes with goods of it; 1 without",
            "runner-up: wh-london",
            "What would change it:",
            "Wh London would win if freight from Wh London were less than",
            "the same",
        ]
        assert sorted(parts, key=screen.index) == parts
        assert "Every fence" not in screen

    def test_every_fence(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", A=6)
        screen = dom("ofl", "explain", "web-7", "--full").stdout
        assert "Every fence" in screen
        assert screen.count("dropship-lille") >= 5

    def test_a_backorder(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", NEVER=1)
        screen = dom("ofl", "explain", "web-7").stdout
        assert "No place in the network has the one unit" in screen
        assert "0 nodes with goods of it; 4 without" in screen
        assert "runner-up" not in screen

    def test_as_json_it_is_what_the_api_answers(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "7", A=6)
        answer = json.loads(dom("ofl", "explain", "web-7", "--json", "--attempt", "1").stdout)
        assert answer["decision"]["order_id"] == "web-7"
        assert answer["explanation"]["reproduced"] is True
        assert answer["snapshot"]["available"]["A"] == {"dc-leeds": 100, "st-york": 5, "wh-london": 50}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("web-9",), "dom: no decision is on record for an order web-9"),
            (("'; DROP TABLE orders; --",), "dom: no decision is on record for an order '; DROP TABLE orders; --"),
            (("web-7", "--attempt", "2"), "dom: order web-7 has no decision 2"),
        ],
    )
    def test_what_is_not_there(self, dom: Dom, world_url: str, arguments: tuple[str, ...], said: str) -> None:
        capture(world_url, "7", A=1)
        refused = dom("ofl", "explain", *arguments)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(said)
