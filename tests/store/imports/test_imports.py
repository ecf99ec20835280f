"""Files of counts and changes: every row has its outcome, whatever is in it, and whoever dies in the middle."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import Conflict, InvalidInput, NotFound
from jobs.starting_work import ABANDONED_AFTER
from store import imports
from store.enums import ImportKind, ImportStatus
from store.imports import Format, Header, Import, applying, ending, receiving
from store.imports.reading import batches
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.sourcing import MONDAY_NOON

COUNTS = "node_id,sku,quantity\n"
DELTAS = "node_id,sku,quantity,key\n"


def header(kind: ImportKind = ImportKind.COUNTS, **more: Any) -> Header:
    fields: dict[str, Any] = {"format": Format.CSV, "all_or_nothing": False, "source": "wms", "sequence": 1}
    return Header(kind=kind, **(fields | {"as_of": MONDAY_NOON, "actor": "test"} | more))


async def stream(content: str | bytes, size: int = 37) -> AsyncIterator[bytes]:
    data = content.encode() if isinstance(content, str) else content
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def load(engine: AsyncEngine, content: str | bytes, kind: ImportKind = ImportKind.COUNTS, **more: Any) -> Import:
    """Received and applied."""
    found, _ = await imports.receive(engine, header(kind, **more), stream(content))
    return await imports.apply_all(engine, found.id)


async def problems(engine: AsyncEngine, found: Import) -> list[tuple[Any, ...]]:
    return [(p["row"], p["outcome"], p["field"], p["detail"]) async for p in imports.problems(engine, found.id)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short file has several."""
    monkeypatch.setattr(applying, "CHUNK", 3)
    monkeypatch.setattr(receiving, "BATCH", 4)


class TestCounts:
    async def test_every_row_becomes_a_balance(self, world: AsyncEngine) -> None:
        found = await load(world, COUNTS + "dc-leeds,A,90\nwh-london,A,50\nst-york,B,7\ndc-leeds,B,0\n")
        assert (found.status, found.rows, found.outcomes) == ("done", 4, {"applied": 4})
        assert await balance(world, "dc-leeds", "A") == (90, 0)
        assert await balance(world, "st-york", "B") == (7, 0)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'count'") == 3, (
            "one said what was known"
        )
        assert await one(world, "SELECT count(*) FROM stock_import_rows") == 0
        await check_books(world)

    async def test_of_two_rows_the_later_one_stands(self, world: AsyncEngine, small_chunks: None) -> None:
        """Also where they are in different chunks, and where the last one is the wrong one."""
        lines = ["dc-leeds,A,1", "dc-leeds,B,1", "wh-london,A,1", "st-york,A,1", "dc-leeds,A,2", "dc-leeds,A,-1"]
        found = await load(world, COUNTS + "\n".join(lines))
        assert found.outcomes == {"applied": 4, "replaced": 1, "refused": 1}
        assert await balance(world, "dc-leeds", "A") == (2, 0)
        assert [p[:2] for p in await problems(world, found)] == [(2, "replaced"), (7, "refused")]

    async def test_a_file_that_is_sent_again_changes_nothing(self, world: AsyncEngine) -> None:
        content = COUNTS + "dc-leeds,A,90\ndc-leeds,RARE,1\n"
        await load(world, content)
        again = await load(world, content)
        assert again.outcomes == {"repeated": 2}
        older = await load(world, content.replace("90", "70"), sequence=0, as_of=MONDAY_NOON - timedelta(hours=1))
        assert older.outcomes == {"late": 2}
        assert [p[1] for p in await problems(world, older)] == ["late", "late"]
        other = await load(world, content.replace("90", "70"))
        assert other.outcomes == {"refused": 1, "repeated": 1}, "the same number for something else"
        assert await balance(world, "dc-leeds", "A") == (90, 0)

    async def test_a_row_may_say_when_and_why(self, world: AsyncEngine) -> None:
        at = (MONDAY_NOON - timedelta(hours=2)).isoformat()
        await load(world, f"sku,quantity,node_id,as_of,reason_code\nA,9,dc-leeds,{at},cycle_count\nB,9,dc-leeds,,\n")
        found = await rows(world, "SELECT sku, occurred_at, reason_code FROM stock_ledger WHERE kind = 'count'"
                                  " ORDER BY sku")  # fmt: skip
        assert found == [("A", MONDAY_NOON - timedelta(hours=2), "cycle_count"), ("B", MONDAY_NOON, None)]


class TestDeltas:
    async def test_changes_of_one_balance_add_up(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = "".join(f"dc-leeds,A,{(-1) ** n * n},key-{n}\n" for n in range(1, 11))
        found = await load(world, DELTAS + lines, ImportKind.DELTAS)
        assert found.outcomes == {"applied": 10}
        assert await balance(world, "dc-leeds", "A") == (105, 0)
        assert (await load(world, DELTAS + lines, ImportKind.DELTAS)).outcomes == {"repeated": 10}
        await check_books(world)

    async def test_a_key_twice_in_a_file_counts_once(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = ["dc-leeds,A,5,k", "dc-leeds,A,5,k", "dc-leeds,B,5,k", "dc-leeds,A,5,k", "dc-leeds,A,6,k"]
        found = await load(world, DELTAS + "\n".join(lines), ImportKind.DELTAS)
        assert found.outcomes == {"applied": 2, "repeated": 2, "refused": 1}
        assert await problems(world, found) == [(6, "refused", "key", "the key was used before, for another change")]
        assert await balance(world, "dc-leeds", "A") == (105, 0)

    async def test_without_keys_every_row_counts_once(self, world: AsyncEngine) -> None:
        content = "node_id,sku,quantity\ndc-leeds,A,5\ndc-leeds,A,5\n"
        found, _ = await imports.receive(world, header(ImportKind.DELTAS, key="file"), stream(content))
        await imports.apply_all(world, found.id)
        again, created = await imports.receive(world, header(ImportKind.DELTAS, key="file"), stream(content))
        assert (again.id, created, again.status) == (found.id, False, "done")
        assert not await imports.apply_next(world, found.id)
        assert await balance(world, "dc-leeds", "A") == (110, 0)

    async def test_what_cannot_go_is_named(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = [
            "dc-leeds,RARE,-2,1",
            "dc-leeds,RARE,-1,2",
            "dc-leeds,A,1,3",
            "dc-leeds,RARE,1,4",
            "dc-leeds,RARE,-1,5",
        ]
        found = await load(world, DELTAS + "\n".join(lines), ImportKind.DELTAS)
        assert found.outcomes == {"applied": 4, "refused": 1}
        named = "1 cannot go: 0 on hand, 0 of them reserved"
        assert await problems(world, found) == [(3, "refused", "quantity", named)]
        await check_books(world)


class TestBadRows:
    async def test_each_is_named_and_none_spoils_another(self, world: AsyncEngine) -> None:
        bad = {
            b"dc-leeds,A": None,
            b"dc-leeds,A,1,2": None,
            b"DC-LEEDS,A,1": "node_id",
            b"dc-leeds,,1": "sku",
            b"dc-leeds,A,many": "quantity",
            b"dc-leeds,A,-1": "quantity",
            b"dc-leeds,A,1.5": "quantity",
            b"dc-leeds,A,99999999999999": "quantity",
            b"nowhere,A,1": "node_id",
            b"dc-leeds,NONE,1": "sku",
            b'dc-leeds,"A,1': None,
            b"dc-leeds,\xff,1": None,
            b"dc-leeds,\x00,1": "sku",
            b"dc-leeds," + b"x" * 20_000 + b",1": None,
        }
        lines = [line for pair in zip(bad, [b"", b"st-york,A,%d"] * 7, strict=True) for line in pair]
        good = [line % n if b"%d" in line else line for n, line in enumerate(lines)]
        content = COUNTS.encode() + b"\r\n".join([*good, b'"dc-leeds","A",7', b"  "])
        found = await load(world, content)
        named = await problems(world, found)
        assert found.outcomes["refused"] == len(bad)
        refused = [p for p in named if p[1] == "refused"]
        assert [p[2] for p in refused] == list(bad.values())
        assert [p[0] for p in refused] == [2 + 2 * n for n in range(len(bad))]
        assert await balance(world, "dc-leeds", "A") == (7, 0)
        assert found.rows == sum(found.outcomes.values()) == len(bad) + 7 + 1

    async def test_json_lines(self, world: AsyncEngine) -> None:
        lines = [
            '{"node_id": "dc-leeds", "sku": "A", "quantity": 5}',
            '{"node_id": "dc-leeds", "sku": "A", "quantity": 5, "colour": "red"}',
            '{"node_id": "dc-leeds", "sku": "\\ud800", "quantity": 5}',
            '{"node_id": "dc-leeds", "sku": "\\u0000", "quantity": 5}',
            '{"node_id": null, "sku": 7}',
            "[" * 9000,
            "7",
            "{",
            '{"node_id": "dc-leeds", "sku": "B", "quantity": 6}',
        ]
        found = await load(world, "\ufeff" + "\n".join(lines), format=Format.JSONL)
        assert [p[0] for p in await problems(world, found)] == [2, 3, 4, 5, 6, 7, 8]
        assert found.outcomes == {"applied": 2, "refused": 7}

    async def test_a_time_still_to_come(self, world: AsyncEngine) -> None:
        late = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        found = await load(world, f"node_id,sku,quantity,as_of\ndc-leeds,A,1,{late}\ndc-leeds,A,1,yesterday\n")
        assert [p[2] for p in await problems(world, found)] == ["as_of", "as_of"]

    @pytest.mark.parametrize(
        "content",
        ["", "\n\n", COUNTS, "a,b,c\n1,2,3", "node_id,sku\n", "node_id,sku,quantity,quantity\n", "\xff\n", '"x'],
    )
    async def test_a_file_that_is_none(self, world: AsyncEngine, content: str) -> None:
        with pytest.raises(InvalidInput):
            await load(world, content.encode("latin-1"))
        assert await one(world, "SELECT count(*) FROM stock_imports") == 0


class TestAllOrNothing:
    async def test_a_good_file_is_applied(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = "".join(f"dc-leeds,{sku},{n}\n" for n, sku in enumerate(["A", "B", "RARE", "FAR", "NEVER"]))
        found = await load(world, COUNTS + lines, all_or_nothing=True)
        assert (found.status, found.outcomes) == ("done", {"applied": 5})
        assert await balance(world, "dc-leeds", "NEVER") == (4, 0)
        await check_books(world)

    @pytest.mark.parametrize("wrong", ["dc-leeds,A,many,9", "dc-leeds,NONE,1,9", "dc-leeds,RARE,-9,9"])
    async def test_one_bad_row_keeps_all_out(self, world: AsyncEngine, small_chunks: None, wrong: str) -> None:
        before = await rows(world, "SELECT * FROM stock ORDER BY node_id, sku")
        lines = [f"dc-leeds,A,{n},k{n}" for n in range(1, 8)]
        content = DELTAS + "\n".join([*lines, wrong, "nowhere,A,1,10"])
        found = await load(world, content, ImportKind.DELTAS, all_or_nothing=True)
        assert (found.status, found.outcomes) == ("refused", {"refused": 2})
        assert [p[0] for p in await problems(world, found)] == [9, 10]
        assert await rows(world, "SELECT * FROM stock ORDER BY node_id, sku") == before
        assert (await load(world, DELTAS + "\n".join(lines), ImportKind.DELTAS)).outcomes == {"applied": 7}


class TestDyingInTheMiddle:
    async def test_a_chunk_that_dies_is_done_once(
        self, world: AsyncEngine, small_chunks: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = "".join("dc-leeds,A,1\n" for _ in range(10))
        found, _ = await imports.receive(world, header(ImportKind.DELTAS), stream(COUNTS + lines))
        assert await imports.apply_next(world, found.id)
        advance = applying._ADVANCE
        killed = text("SELECT pg_terminate_backend(pg_backend_pid()), :next + 0, :outcomes || '', :id || ''")
        monkeypatch.setattr(applying, "_ADVANCE", killed)
        for _ in range(2):
            with pytest.raises(OperationalError):
                await imports.apply_next(world, found.id)
        monkeypatch.setattr(applying, "_ADVANCE", advance)
        assert (await imports.get(world, found.id)).outcomes == {"applied": 3}
        done = await imports.apply_all(world, found.id)
        assert (done.status, done.outcomes) == ("done", {"applied": 10})
        assert await balance(world, "dc-leeds", "A") == (110, 0)
        await check_books(world)

    async def test_two_appliers_do_it_once(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = "".join("dc-leeds,A,1\n" for _ in range(30))
        found, _ = await imports.receive(world, header(ImportKind.DELTAS), stream(COUNTS + lines))
        while (await imports.get(world, found.id)).status != "done":
            await asyncio.gather(*(imports.apply_next(world, found.id) for _ in range(4)))
        assert (await imports.get(world, found.id)).outcomes == {"applied": 30}
        assert await balance(world, "dc-leeds", "A") == (130, 0)

    async def test_an_upload_that_dies_begins_again(self, world: AsyncEngine, small_chunks: None) -> None:
        async def dying() -> AsyncIterator[bytes]:
            async for part in stream(COUNTS + "dc-leeds,A,1\n" * 50):
                yield part
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await imports.receive(world, header(key="k"), dying())
        assert await rows(world, "SELECT status, rows > 0 FROM stock_imports") == [("receiving", True)]
        assert not await imports.apply_next(world, header(key="k").import_id()), "what is not all there is not applied"
        found = await load(world, COUNTS + "dc-leeds,A,3\n", key="k")
        assert (found.rows, found.outcomes) == (1, {"applied": 1})
        assert await balance(world, "dc-leeds", "A") == (3, 0)

    async def test_of_two_uploads_with_one_key_the_last_one_stands(
        self, world: AsyncEngine, small_chunks: None
    ) -> None:
        second = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield (COUNTS + "dc-leeds,A,1\n" * 9).encode()
            await second.wait()
            yield ("dc-leeds,A,1\n" * 9).encode()

        first = asyncio.create_task(imports.receive(world, header(key="k"), slow()))
        while not await one(world, "SELECT count(*) FROM stock_import_rows"):
            await asyncio.sleep(0.01)
        found = await load(world, COUNTS + "dc-leeds,A,3\n", key="k")
        second.set()
        with pytest.raises(Conflict):
            await first
        assert (found.rows, await balance(world, "dc-leeds", "A")) == (1, (3, 0))

    async def test_an_upload_that_never_ends_is_given_up(self, world: AsyncEngine) -> None:
        await imports.receive(world, header(key="k"), stream(COUNTS + "dc-leeds,A,1\n"))
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET status = 'receiving'"))
        assert not await imports.fail_abandoned(world, ABANDONED_AFTER)
        assert await one(world, "SELECT status FROM stock_imports") == "receiving", "an hour is not over"
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET touched_at = now() - interval '61 minutes'"))
        assert await imports.fail_abandoned(world, ABANDONED_AFTER) == 1
        assert await rows(world, "SELECT status, detail <> '' FROM stock_imports") == [("failed", True)]
        assert await one(world, "SELECT count(*) FROM stock_import_rows") == 0
        assert (await load(world, COUNTS + "dc-leeds,A,3\n", key="k")).outcomes == {"applied": 1}

    async def test_one_that_cannot_be_applied_stops_no_other(self, world: AsyncEngine, small_chunks: None) -> None:
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE stock ADD CONSTRAINT odd CHECK (on_hand <> 666)"))
        lines = [f"dc-leeds,{sku},5" for sku in ("A", "B", "RARE", "FAR", "NEVER")]
        first = header(ImportKind.DELTAS, key="k")
        odd, _ = await imports.receive(world, first, stream(COUNTS + "\n".join([*lines, "wh-london,A,616"])))
        good, _ = await imports.receive(world, header(), stream(COUNTS + "st-york,A,7\n"))
        found = await imports.apply_all(world, odd.id)
        assert (await imports.apply_all(world, good.id)).status == "done"
        assert (found.status, found.outcomes) == ("failed", {"applied": 3})
        assert "from row 5 on nothing was applied" in found.detail
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE stock DROP CONSTRAINT odd"))
        again, _ = await imports.receive(world, first, stream(COUNTS + "\n".join([*lines, "wh-london,A,616"])))
        assert (await imports.apply_all(world, again.id)).outcomes == {"applied": 3, "repeated": 3}
        assert await balance(world, "dc-leeds", "A") == (105, 0)
        assert await balance(world, "wh-london", "A") == (666, 0)
        await check_books(world)


class TestCancelling:
    async def test_what_was_applied_stays_and_each_other_row_is_named(
        self, world: AsyncEngine, small_chunks: None
    ) -> None:
        lines = "dc-leeds,A,1\n" * 5 + "dc-leeds,A,many\n" + "dc-leeds,A,1\n" * 2
        found, _ = await imports.receive(world, header(ImportKind.DELTAS, key="k"), stream(COUNTS + lines))
        assert await imports.apply_next(world, found.id)
        await imports.cancel(world, found.id, "by kim")
        assert not await imports.apply_next(world, found.id)
        ended = await imports.get(world, found.id)
        assert (ended.status, ended.detail, ended.done) == ("cancelled", "by kim", ended.rows)
        assert ended.outcomes == {"applied": 3, "refused": 1, "cancelled": 4}
        assert [p[:2] for p in await problems(world, found)] == [
            (5, "cancelled"), (6, "cancelled"), (7, "refused"), (8, "cancelled"), (9, "cancelled"),
        ]  # fmt: skip
        assert await balance(world, "dc-leeds", "A") == (103, 0)
        again, created = await imports.receive(world, header(ImportKind.DELTAS, key="k"), stream(COUNTS + lines))
        assert (again, created) == (ended, False), "a repeat does not bring it back"
        await imports.cancel(world, found.id, "by lee")
        assert await imports.get(world, found.id) == ended

    async def test_all_or_nothing_stops_in_the_middle(self, world: AsyncEngine, small_chunks: None) -> None:
        lines = "dc-leeds,A,1\n" * 7
        whole = header(ImportKind.DELTAS, all_or_nothing=True)
        found, _ = await imports.receive(world, whole, stream(COUNTS + lines))
        stop = asyncio.Event()
        stop.set()
        with pytest.raises(imports.Interrupted):
            await imports.apply_next(world, found.id, stop)
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert (await imports.apply_all(world, found.id)).outcomes == {"applied": 7}

    async def test_one_that_is_being_applied_by_somebody_who_does_not_stop(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ending, "_WAIT", "SET LOCAL lock_timeout = '50ms'")
        found, _ = await imports.receive(world, header(), stream(COUNTS + "dc-leeds,A,1\n"))
        async with world.begin() as connection:
            await connection.execute(text("SELECT FROM stock_imports FOR UPDATE"))
            with pytest.raises(Conflict, match="again later"):
                await imports.cancel(world, found.id, "by kim")
        with pytest.raises(NotFound):
            await imports.cancel(world, "import-none", "by kim")


class TestImports:
    async def test_two_of_one_source_side_by_side(self, world: AsyncEngine, small_chunks: None) -> None:
        for sequence in (1, 2):
            at = MONDAY_NOON + timedelta(hours=sequence)
            lines = f"dc-leeds,A,{sequence}\ndc-leeds,B,{sequence}\nwh-london,A,{sequence}\nst-york,A,{sequence}\n"
            await imports.receive(world, header(sequence=sequence, as_of=at), stream(COUNTS + lines))
        waiting = await imports.unfinished(world)
        await asyncio.gather(*(imports.apply_all(world, import_id) for import_id in waiting))
        assert await imports.unfinished(world) == []
        assert await balance(world, "dc-leeds", "A") == (2, 0)
        assert [f.id for f in reversed(await imports.find(world, [ImportStatus.DONE], None, 10))] == waiting

    async def test_one_key_for_two_files(self, world: AsyncEngine) -> None:
        await load(world, COUNTS + "dc-leeds,A,3\n", key="k")
        with pytest.raises(Conflict):
            await load(world, DELTAS + "dc-leeds,A,3,\n", ImportKind.DELTAS, key="k")
        assert (await load(world, COUNTS + "dc-leeds,A,4\n", key="k", source="other")).outcomes == {"applied": 1}

    async def test_one_that_is_not_there(self, world: AsyncEngine) -> None:
        with pytest.raises(NotFound):
            await imports.get(world, "import-none")


async def test_no_more_than_a_batch_is_held(
    world: AsyncEngine, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    stage = receiving._stage

    async def measured(engine: AsyncEngine, import_id: str, upload: str, staged: Any) -> None:
        held.append(len(staged))
        await stage(engine, import_id, upload, staged)

    monkeypatch.setattr(receiving, "_stage", measured)
    found = await load(world, COUNTS + "".join(f"st-york,A,{n}\n" for n in range(200)))
    assert found.rows == sum(held) == 200
    assert max(held) <= 4 + 37 // len("st-york,A,1")


async def test_a_line_without_end_is_not_kept() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"a\n"
        for _ in range(3000):
            yield b"x" * 1000
        yield b"\nb"

    assert [lines async for lines in batches(endless(), 100)] == [[b"a", None, b"b"]]
