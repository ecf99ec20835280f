"""Files that are written, replaced, sent twice and read in parts."""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.channels.files import connector as files
from connectors.channels.files.connector import FilesConnector
from connectors.channels.files.drop import DropFolder
from connectors.channels.files.grouping import MOST_ROWS
from connectors.notifications.port import TemporaryFailureError
from tests.unit.channels.files.test_csv_files import HEAD, lines
from tests.worlds.dropping import EVER, Inbox, connection
from tests.worlds.trading import x12


def reader(folder: Path, **settings: Any) -> FilesConnector:
    """Who reads the folder."""
    return FilesConnector(connection(folder, **{"order_column": "order", **settings}), {})


def many(orders: int, first: int = 1) -> bytes:
    """A file of so many orders of two rows."""
    return HEAD + b"".join([b"%d;A;1;1\n%d;B;1;1\n" % (each, each) for each in range(first, first + orders)])


def numbers(inbox: Inbox) -> list[str]:
    """The orders that came."""
    found: list[str] = inbox.orders(lambda message: message["rows"][0]["order"])
    return found


class TestFilesThatAreNotWholeYet:
    """They are left alone."""

    async def test_until_they_settle(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        inbox = await Inbox().pull(reader(tmp_path, settle_seconds=60))
        assert (inbox.came, list(inbox.position["watched"])) == (0, ["a.csv"])
        hour_ago = time.time() - 3600
        os.utime(tmp_path / "a.csv", (hour_ago, hour_ago))
        assert numbers(await inbox.pull(reader(tmp_path, settle_seconds=60))) == ["1"]

    async def test_by_what_was_seen_of_them_where_the_clock_is_not_ours(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        ahead = time.time() + 3600
        os.utime(tmp_path / "a.csv", (ahead, ahead))
        inbox = await Inbox().pull(reader(tmp_path, settle_seconds=60))
        inbox.position["watched"]["a.csv"][2] -= 61
        assert numbers(await inbox.pull(reader(tmp_path, settle_seconds=60))) == ["1"]

    @pytest.mark.parametrize("name", ["a.csv.tmp", "a.csv.part", ".a.csv", "b.txt"])
    async def test_by_their_names(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(many(1))
        assert (await Inbox().pull(reader(tmp_path, pattern="*.csv"))).came == 0
        assert (tmp_path / name).exists()

    async def test_until_their_markers_come(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        inbox = await Inbox().pull(reader(tmp_path, marker=".done"))
        (tmp_path / "a.csv.done").touch()
        assert inbox.came == 0
        assert numbers(await inbox.pull(reader(tmp_path, marker=".done"))) == ["1"]
        assert {each.name for each in (tmp_path / "done").iterdir()} == {"a.csv", "a.csv.done"}

    async def test_links_and_folders_are_no_files(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").symlink_to("/etc/hostname")
        (tmp_path / "b.csv").mkdir()
        assert (await Inbox().pull(reader(tmp_path))).came == 0


class TestFilesThatComeAgain:
    """They are known by their content."""

    async def test_under_another_name_they_are_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(2))
        inbox = await Inbox().pull(reader(tmp_path))
        (tmp_path / "b.csv").write_bytes(many(2))
        await inbox.pull(reader(tmp_path))
        assert (inbox.came, inbox.position["repeats"]) == (2, 1)
        assert {each.name for each in (tmp_path / "done").iterdir()} == {"a.csv", "b.csv"}

    async def test_under_the_same_name_both_are_kept(self, tmp_path: Path) -> None:
        inbox = Inbox()
        for first in (1, 2):
            (tmp_path / "a.csv").write_bytes(many(2, first))
            await inbox.pull(reader(tmp_path))
        assert numbers(inbox) == ["1", "2", "3"]
        assert inbox.came == 4
        assert len(list((tmp_path / "done").iterdir())) == 2

    async def test_they_are_read_again_where_they_are_to_be_read_otherwise(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        inbox = await Inbox().pull(reader(tmp_path, order_column=""))
        (tmp_path / "a.csv").write_bytes(many(1))
        await inbox.pull(reader(tmp_path))
        assert [lines(message) for message in inbox.orders(dict)] == [("1", "A"), ("1", "B"), ("1", "A", "B")]


class TestReadingInParts:
    """Whoever reads may die at any time, and goes on where it was."""

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "BLOCK", 64)
        monkeypatch.setattr(files, "MOST_ORDERS", 7)

    @pytest.mark.parametrize("window", [0, 3])
    async def test_each_page_may_be_read_by_another_process(self, tmp_path: Path, window: int) -> None:
        (tmp_path / "a.csv").write_bytes(many(40))
        inbox = Inbox()
        while not inbox.pages or inbox.position.get("file"):
            await inbox.pull(reader(tmp_path, window=window), most_pages=1)
        assert numbers(inbox) == [str(each) for each in range(1, 41)]
        assert (inbox.came, inbox.pages > 6) == (40, True)

    async def test_a_page_that_was_not_kept_comes_again(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(20))
        inbox = Inbox()
        for _ in range(60):
            await reader(tmp_path).page(inbox.position, EVER)
            await inbox.pull(reader(tmp_path), most_pages=1)
        assert inbox.came == 20

    async def test_a_file_that_was_begun_and_forgotten_is_read_first(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        await reader(tmp_path).page({}, EVER)
        (tmp_path / "0.csv").write_bytes(many(1, 2))
        assert numbers(await Inbox().pull(reader(tmp_path))) == ["1", "2"]

    async def test_a_new_file_in_its_place_is_another_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(20))
        inbox = await Inbox().pull(reader(tmp_path), most_pages=1)
        (tmp_path / "a.csv").write_bytes(many(3, 100))
        await inbox.pull(reader(tmp_path))
        assert numbers(inbox) == [str(each) for each in (*range(1, 21), 100, 101, 102)]

    async def test_a_file_that_is_changed_while_it_is_read_is_read_anew(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(20))
        inbox = await Inbox().pull(reader(tmp_path), most_pages=1)
        (tmp_path / "reading" / "a.csv").write_bytes(many(21))
        await inbox.pull(reader(tmp_path))
        assert numbers(inbox) == [str(each) for each in range(1, 22)]

    async def test_a_file_that_is_only_touched_is_read_on(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(20))
        inbox = await Inbox().pull(reader(tmp_path), most_pages=1)
        os.utime(tmp_path / "reading" / "a.csv", (1, 1))
        await inbox.pull(reader(tmp_path))
        assert inbox.came == 20

    async def test_a_file_that_somebody_took_away(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(many(20))
        inbox = await Inbox().pull(reader(tmp_path), most_pages=1)
        (tmp_path / "reading" / "a.csv").unlink()
        (tmp_path / "b.csv").write_bytes(many(1, 50))
        assert numbers(await inbox.pull(reader(tmp_path)))[-1] == "50"


async def test_an_order_of_too_many_rows_goes_to_a_person(tmp_path: Path) -> None:
    body = HEAD + b"1;A;1;1\n" * (MOST_ROWS + 5) + b"2;B;1;1\n"
    (tmp_path / "a.csv").write_bytes(body)
    inbox = await Inbox().pull(reader(tmp_path))
    assert (numbers(inbox), sum([len(each) for each in inbox.raw])) == (["2"], 8 * (MOST_ROWS + 5))


class TestFoldersThatCannotBeRead:
    """They are read later, by themselves."""

    async def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(TemporaryFailureError, match="there is no folder"):
            await reader(tmp_path / "not mounted").page({}, EVER)
        assert not (tmp_path / "not mounted").exists()

    async def test_one_of_a_partner(self, tmp_path: Path) -> None:
        with pytest.raises(TemporaryFailureError, match="there is no folder"):
            await x12(tmp_path / "not mounted").page({}, EVER)
        assert not (tmp_path / "not mounted").exists()

    async def test_one_in_which_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "reading").touch()
        with pytest.raises(TemporaryFailureError):
            await reader(tmp_path).page({}, EVER)

    async def test_a_file_of_the_same_name_waits_while_one_is_read_by_somebody_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.csv").write_bytes(many(1))
        monkeypatch.setattr(DropFolder, "_claim", _too_late(DropFolder._claim))
        connector = reader(tmp_path)
        assert (await connector.page({}, EVER)).done
        assert (tmp_path / "a.csv").exists()


def _too_late(claim: Callable[[DropFolder, str], Awaitable[bool]]) -> Callable[[DropFolder, str], Awaitable[bool]]:
    async def claimed(drop: DropFolder, name: str) -> bool:
        await drop._folder.write(f"reading/{name}", b"somebody else's")
        return await claim(drop, name)

    return claimed


@pytest.mark.parametrize(
    "position", [{"file": {"name": "a"}}, {"spot": 7}, {"file": 1}, {"after": "x", "latest": None}]
)
async def test_positions_of_something_else_begin_anew(tmp_path: Path, position: dict[str, Any]) -> None:
    (tmp_path / "a.csv").write_bytes(many(1))
    inbox = Inbox()
    inbox.position = position
    assert numbers(await inbox.pull(reader(tmp_path))) == ["1"]


async def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").write_bytes(HEAD)
    inbox = await Inbox().pull(reader(tmp_path))
    assert inbox.came == 0
    assert {each.name for each in (tmp_path / "done").iterdir()} == {"a.csv", "b.csv"}


@pytest.mark.parametrize(
    "settings",
    [
        {"folder": "orders"},
        {"folder": "sftp://shop@files.example/out"},
        {"folder": "sftp://files.example/out", "host_key": "ssh-ed25519 A"},
        {"folder": "sftp://shop:secret@files.example/out", "host_key": "ssh-ed25519 A"},
        {"folder": "/in", "format": "xlsx"},
        {"folder": "/in", "window": 5_000},
        {"folder": "/in", "foldr": "/in"},
    ],
)
async def test_settings_that_no_folder_has(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FilesConnector(connection(**settings), {})
