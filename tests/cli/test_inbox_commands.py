"""`dom inbox` and `dom mapping`: what channels sent, repaired and replayed, and how it is read."""

import asyncio
import json
from pathlib import Path

from store.database import engine as database
from tests.cli.conftest import Dom
from tests.worlds.channel_messages import SHOP, open_shop, send, told


def came(url: str) -> None:
    """A message that names no order came twice, and is in quarantine."""

    async def both() -> None:
        engine = database.create(url, 2)
        await open_shop(engine)
        await send(engine, {"of": "nobody"}, "d1")
        await send(engine, {"of": "nobody"}, "d1")
        await engine.dispose()

    asyncio.run(both())


def test_what_waits_is_listed_shown_and_replayed(dom: Dom, world_url: str) -> None:
    came(world_url)
    listed = dom("inbox", "list", "--outcome", "quarantined")
    assert listed.exit_code == 0, listed.output
    assert "quarantined" in listed.stdout
    (found,) = json.loads(dom("inbox", "list", "--channel", "web", "--json").stdout)
    assert json.loads(dom("inbox", "list", "--channel", "other", "--json").stdout) == []
    shown = dom("inbox", "show", str(found["id"]))
    assert shown.exit_code == 0, shown.output
    for part in ("outcome: quarantined", "fault: the message: it names no order", '{"of": "nobody"}', "repeats: 1"):
        assert part in shown.stdout
    replayed = dom("inbox", "replay", str(found["id"]), "--repair", "number=7", "--repair", "lines[0].ordered=2")
    assert replayed.exit_code == 0, replayed.output
    assert json.loads(dom("inbox", "show", str(found["id"]), "--json").stdout)["repairs"] == {
        "number": 7,
        "lines[0].ordered": 2,
    }
    assert "2 came" in dom("inbox", "balance").stdout


def test_what_is_refused_says_so(dom: Dom, world_url: str) -> None:
    came(world_url)
    missing = dom("inbox", "show", "999")
    assert (missing.exit_code, missing.stderr) == (1, "dom: there is no message 999\n")
    assert dom("inbox", "replay", "1", "--repair", "number").exit_code == 2


def test_a_mapping_is_linted_tried_and_published(dom: Dom, world_url: str, tmp_path: Path) -> None:
    came(world_url)
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.read_text().replace("our shop", "another"))
    assert dom("mapping", "lint", str(file)).stdout == "no mistakes\n"
    tried = dom("mapping", "preview", "web", str(file))
    assert "0 of 1 can be read" in tried.stdout
    assert dom("mapping", "publish", "web", str(file)).stdout == "version 2 of web: published\n"
    assert dom("mapping", "publish", "web", str(file)).stdout == "version 2 of web: live already\n"
    file.write_text(file.read_text().replace("  currency: currency", "  curency: currency"))
    wrong = dom("mapping", "lint", str(file))
    assert wrong.exit_code == 1
    assert "did you mean currency?" in wrong.stdout
    refused = dom("mapping", "publish", "web", str(file))
    assert refused.exit_code == 1
    assert "unknown-field" in refused.stderr


def test_what_can_be_read_is_shown_as_an_order(dom: Dom, world_url: str) -> None:
    async def one() -> None:
        engine = database.create(world_url, 2)
        await open_shop(engine)
        await send(engine, told("cli-1", A=2), "d1")
        await engine.dispose()

    asyncio.run(one())
    tried = dom("mapping", "preview", "web", str(SHOP))
    assert "order cli-1: 2 A" in tried.stdout
    assert "1 of 1 can be read" in tried.stdout
