"""Files through HTTP: streamed in, applied in the background, every bad row downloadable."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import api.http.bodies
from dom.shared.access import Limits, Role
from store import imports
from tests.api.driving import NODE, Channel, new_number, problem
from tests.worlds.access import key_of

URL = "/v1/inventory/imports"


async def send(http: httpx.AsyncClient, content: Any, key: str = "", **query: Any) -> httpx.Response:
    fields: dict[str, Any] = {"kind": "counts", "source": "wms", "sequence": 1, "as_of": "2026-03-02T12:00:00Z"} | query
    headers = {"Content-Type": "text/csv"} | ({"Idempotency-Key": key} if key else {})
    return await http.post(URL, params=fields, content=content, headers=headers)


async def applied(channel: Channel, engine: AsyncEngine, answer: httpx.Response) -> dict[str, Any]:
    """The import, once it is applied, as the leader would."""
    assert answer.status_code == 202, answer.text
    await imports.apply_all(engine, answer.json()["id"])
    found: dict[str, Any] = (await channel.http.get(answer.headers["Location"])).json()
    return found


async def test_a_file_and_its_bad_rows(channel: Channel, engine: AsyncEngine) -> None:
    sku = await channel.stocked_sku(10)
    lines = ["node_id,sku,quantity", f"{NODE},{sku},many", f"{NODE},{sku},12", f"nowhere,{sku},1", f'{NODE},"=1,",x"y']

    async def body() -> AsyncIterator[bytes]:
        for line in lines:
            yield line.encode()
            yield b"\r\n"

    answer = await send(channel.http, body())
    assert answer.json()["status"] == "queued"
    assert (answer.json()["rows"], answer.json()["outcomes"]) == (4, {"refused": 2})
    found = await applied(channel, engine, answer)
    assert (found["status"], found["done"], found["outcomes"]) == ("done", 4, {"applied": 1, "refused": 3})
    assert found["rows_per_second"] > 0
    text = await channel.http.get(found["links"]["problems"])
    assert text.headers["content-type"].startswith("text/csv")
    assert "attachment" in text.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert [(row["row"], row["field"], row["problem"]) for row in rows] == [
        ("2", "quantity", "invalid-input"), ("4", "node_id", "unknown-node"), ("5", "quantity", "invalid-input"),
    ]  # fmt: skip
    assert rows[2]["raw"] == lines[4]
    same = await channel.http.get(found["links"]["problems"], params={"format": "jsonl"})
    assert [json.loads(line)["row"] for line in same.text.splitlines()] == [2, 4, 5]
    stock = (await channel.http.get("/v1/availability", params={"sku": sku})).json()
    assert stock["items"][0]["nodes"][0]["on_hand"] == 22, "12 as of then, and 10 that came in since"


@pytest.mark.parametrize("other", [{"sequence": 2}, {"as_of": "2026-03-02T13:00:00Z"}, {"format": "jsonl"}])
async def test_another_one_under_the_same_key_is_refused(channel: Channel, other: dict[str, Any]) -> None:
    sku, key = await channel.stocked_sku(0), new_number()
    content = f"node_id,sku,quantity\n{NODE},{sku},1\n".encode()
    assert (await send(channel.http, content, key)).status_code == 202
    assert (await send(channel.http, content, key)).status_code == 200
    problem(await send(channel.http, content, key, **other), 409, "conflict", "Idempotency-Key")


async def test_sent_again_it_is_the_same(channel: Channel, engine: AsyncEngine) -> None:
    sku, key = await channel.stocked_sku(0), new_number()
    content = json.dumps({"node_id": NODE, "sku": sku, "quantity": 5})
    query = {"kind": "deltas", "format": "jsonl"}
    first = await send(channel.http, content, key, **query)
    again = await send(channel.http, content, key, **query)
    assert (first.status_code, again.status_code, first.json()["id"]) == (202, 200, again.json()["id"])
    found = await applied(channel, engine, first)
    assert found["outcomes"] == {"applied": 1}
    problem(await send(channel.http, content, key), 409, "conflict", "Idempotency-Key")


async def test_another_file_with_its_key_is_refused(channel: Channel, engine: AsyncEngine) -> None:
    sku, key = await channel.stocked_sku(0), new_number()
    rows = "node_id,sku,quantity,key\n" + f"{NODE},{sku},5,{key}\n"
    first = await send(channel.http, rows, key, kind="deltas")
    problem(
        await send(channel.http, rows.replace(",5,", ",6,"), key, kind="deltas"), 409, "conflict", "Idempotency-Key"
    )
    assert (await send(channel.http, rows, key, kind="deltas")).status_code == 200
    assert (await applied(channel, engine, first))["outcomes"] == {"applied": 1}


async def test_all_or_nothing(channel: Channel, engine: AsyncEngine) -> None:
    sku = await channel.stocked_sku(3)
    content = f"node_id,sku,quantity\n{NODE},{sku},5\n{NODE},{sku},-9\n"
    answer = await send(channel.http, content, kind="deltas", all_or_nothing=True)
    found = await applied(channel, engine, answer)
    assert (found["status"], found["outcomes"]) == ("refused", {"refused": 1})
    first = (await channel.http.get(URL, params={"status": ["refused", "done"], "limit": 1})).json()
    assert [each["id"] for each in first["items"]] == [found["id"]]
    both = {"status": ["refused", "done"], "limit": 1, "cursor": first["next_cursor"]}
    second = (await channel.http.get(URL, params=both)).json()
    assert second["items"][0]["created_at"] < found["created_at"]
    assert not (await channel.http.get(URL, params={"status": "failed"})).json()["items"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"kind": "guesses"}, "kind"), ({"source": ""}, "source"), ({"as_of": "2999-01-01T00:00:00Z"}, "as_of"),
     ({"format": "xml"}, "format"), ({"sequence": -1}, "sequence")],
)  # fmt: skip
async def test_a_header_that_is_wrong(channel: Channel, query: dict[str, Any], field: str) -> None:
    problem(await send(channel.http, "node_id,sku,quantity\nx,A,1\n", **query), 422, "invalid-input", field)


async def test_a_file_that_is_none(channel: Channel) -> None:
    problem(await send(channel.http, "node,sku\n"), 422, "invalid-input", "header")
    problem(await send(channel.http, ""), 422, "invalid-input", "body")
    problem(await channel.http.get(f"{URL}/none"), 404, "not-found")
    problem(await channel.http.get(f"{URL}/none/problems"), 404, "not-found")


async def test_a_file_may_be_larger_than_a_message_but_not_endless(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sku = await channel.stocked_sku(0)
    row = f"{NODE},{sku},1\n"

    async def body(size: int) -> AsyncIterator[bytes]:
        yield b"node_id,sku,quantity\n"
        for _ in range(size // 50_000):
            yield (row * (50_000 // len(row))).encode()

    large = await send(channel.http, body(3_000_000))
    assert large.status_code == 202
    monkeypatch.setattr(api.http.bodies, "MAX_FILE_BYTES", 1_000_000)
    problem(await send(channel.http, body(3_000_000)), 413, "body-too-large")


async def test_a_node_sends_rows_of_its_own(channel: Channel, engine: AsyncEngine) -> None:
    """Those of another node are refused, and nobody else's node sees the import."""
    sku = await channel.stocked_sku(10)
    own = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]))
    other = await key_of(engine, Role.NODE, Limits.of(nodes=["wh-london"]))
    key = new_number()
    query = {"kind": "counts", "source": "shelf"}
    lines = f"node_id,sku,quantity\n{NODE},{sku},12\nwh-london,{sku},3\n"
    answer = await channel.http.post(URL, params=query, content=lines, headers=own | {"Idempotency-Key": key})
    assert answer.status_code == 202, answer.text
    import_id = answer.json()["id"]
    await imports.apply_all(engine, import_id)
    found = (await channel.http.get(f"{URL}/{import_id}", headers=own)).json()
    assert found["outcomes"] == {"applied": 1, "refused": 1}
    text = (await channel.http.get(f"{URL}/{import_id}/problems", headers=own, params={"format": "jsonl"})).text
    (row,) = (json.loads(line) for line in text.splitlines())
    assert (row["row"], row["problem"], row["field"], row["node_id"]) == (3, "forbidden", "node_id", "wh-london")

    async def listed(headers: dict[str, str]) -> set[str]:
        page = await channel.http.get(URL, headers=headers, params={"limit": 200})
        return {each["id"] for each in page.json()["items"]}

    assert import_id in await listed(own)
    assert import_id not in await listed(other)
    for method, path in (("GET", ""), ("GET", "/problems"), ("POST", "/cancel")):
        problem(await channel.http.request(method, f"{URL}/{import_id}{path}", headers=other), 404, "not-found")
    taken = await channel.http.post(URL, params=query, content=lines, headers=other | {"Idempotency-Key": key})
    problem(taken, 409, "conflict", "Idempotency-Key")
