"""The policy through HTTP: what is wrong with it is said with its place, and nothing is published that is."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.reading import read_policy
from tests.api.driving import problem
from tests.worlds.access import OPERATOR

YAML = {"Content-Type": "application/yaml"}


def text(name: str, penalty: int = 100) -> str:
    return (
        f"name: {name}  # as we write it\nstrategies:\n  - {{name: everything, cost: {{split_penalty: {penalty}}}}}\n"
    )


WRONG = "name: wrong\nstrategies:\n  - name: a\n    fences: {nodes: [dc-daventri]}\n    on_none: {relax: [place]}\n"


@pytest.fixture(autouse=True)
async def as_it_was(http: httpx.AsyncClient) -> AsyncIterator[None]:
    """The other tests of the session go by the sample's policy."""
    before = await live(http)
    yield
    await http.post(f"/v1/ofl/policies/{before['version']}/restore")


async def live(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/v1/ofl/policies/live")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of_the_text(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what the network adds: other tests of the session leave nodes with currencies of their own."""
    return [each for each in findings if each["code"] != "currency-without-rate"]


async def publish(http: httpx.AsyncClient, written: str, **query: Any) -> httpx.Response:
    return await http.post("/v1/ofl/policies", content=written, headers=YAML, params=query)


class TestPublish:
    async def test_yaml_keeps_its_comments(self, http: httpx.AsyncClient) -> None:
        before = (await live(http))["version"]
        answer = await publish(http, text("yaml"), comment="cheaper")
        assert answer.status_code == 201, answer.text
        published = answer.json()
        assert of_the_text(published.pop("findings")) == []
        assert published == {"version": before + 1, "name": "yaml", "published": True}
        assert answer.headers["location"] == f"/v1/ofl/policies/{before + 1}"
        found = await live(http)
        assert (found["published_by"], found["comment"], found["live"]) == (OPERATOR, "cheaper", True)
        assert found["source"] == text("yaml")
        assert Policy.model_validate(found["document"]) == read_policy(text("yaml"))

    async def test_json_is_the_document_itself(self, http: httpx.AsyncClient) -> None:
        document = (await live(http))["document"] | {"name": "json"}
        assert (await http.post("/v1/ofl/policies", json=document)).status_code == 201
        assert (await live(http))["document"]["name"] == "json"

    async def test_again_is_no_new_version(self, http: httpx.AsyncClient) -> None:
        first = await publish(http, text("again"))
        again = await publish(http, text("again"))
        assert (again.status_code, again.json()["published"]) == (200, False)
        assert again.json()["version"] == first.json()["version"]

    async def test_mistakes_are_named_with_their_places(self, http: httpx.AsyncClient) -> None:
        before = await live(http)
        refused = problem(await publish(http, WRONG), 422, "policy-invalid", "strategies[0].fences.nodes[0]")
        assert of_the_text(refused["errors"]) == [
            {
                "field": "strategies[0].fences.nodes[0]",
                "detail": "there is no node dc-daventri",
                "code": "unknown-node",
                "severity": "error",
                "line": 4,
                "column": 22,
                "hint": "did you mean dc-daventry?",
            },
            {
                "field": "strategies[0].on_none.relax[0]",
                "detail": "this strategy sets no fence place",
                "code": "relax-without-fence",
                "severity": "warning",
                "line": 5,
                "column": 23,
                "hint": "take it out; set are network",
            },
        ]
        assert (await live(http)) == before

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ("", None),
            ("[]", None),
            ("name: x\n\tstrategies: []", None),
            ('{"name": "x", "strategies": []}', "strategies"),
            ("name: x\nstrategies: [{name: a, cost: {split_penalty: -1}}]", "strategies[0].cost.split_penalty"),
            ("[" * 5000, None),
            ('name: "a\\0b"\nstrategies: [{name: a}]', "name"),
        ],
    )
    async def test_what_is_no_policy(self, http: httpx.AsyncClient, body: str, field: str | None) -> None:
        refused = problem(await publish(http, body), 422, "policy-invalid", field)
        assert refused["errors"][0]["hint" if field is None else "detail"]

    async def test_other_bodies(self, http: httpx.AsyncClient) -> None:
        csv = {"Content-Type": "text/csv"}
        problem(await http.post("/v1/ofl/policies", content="a", headers=csv), 415, "unsupported-media-type")
        problem(await http.post("/v1/ofl/policies", content=b"\xff\xfe", headers=YAML), 422, "invalid-input")
        problem(await publish(http, "#" * 2_000_001), 413, "body-too-large")
        problem(await publish(http, text("x"), actor="ada"), 422, "invalid-input", "actor")

    async def test_not_over_what_somebody_else_published(self, http: httpx.AsyncClient) -> None:
        before = (await live(http))["version"]
        await publish(http, text("mine"), based_on=before)
        refused = problem(await publish(http, text("yours"), based_on=before), 409, "conflict", "based_on")
        assert refused["data"] == {"live": before + 1}
        assert f"{OPERATOR} has published" in refused["detail"]


class TestLint:
    async def test_says_everything_and_keeps_nothing(self, http: httpx.AsyncClient) -> None:
        before = await live(http)
        answer = await http.post("/v1/ofl/policies/lint", content=WRONG, headers=YAML)
        assert answer.status_code == 200
        found = answer.json()
        assert found["valid"] is False
        assert [(each["line"], each["code"]) for each in of_the_text(found["findings"])] == [
            (4, "unknown-node"),
            (5, "relax-without-fence"),
        ]
        assert (await live(http)) == before

    async def test_nothing_is_wrong_with_the_live_one(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/ofl/policies/lint", content=(await live(http))["source"], headers=YAML)
        assert answer.json()["valid"]
        assert of_the_text(answer.json()["findings"]) == []

    async def test_what_cannot_be_read_is_said_too(self, http: httpx.AsyncClient) -> None:
        answer = await http.post(
            "/v1/ofl/policies/lint", content='{"name": ', headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["valid"]) == (200, False)


class TestVersions:
    async def test_page_by_page_the_newest_first(self, http: httpx.AsyncClient) -> None:
        for number in range(3):
            await publish(http, text(f"page-{number}"))
        first = (await http.get("/v1/ofl/policies", params={"limit": 2})).json()
        assert [each["name"] for each in first["items"]] == ["page-2", "page-1"]
        assert [each["live"] for each in first["items"]] == [True, False]
        then = (await http.get("/v1/ofl/policies", params={"limit": 1, "cursor": first["next_cursor"]})).json()
        assert then["items"][0]["name"] == "page-0"
        problem(await http.get("/v1/ofl/policies", params={"cursor": "nonsense"}), 422, "invalid-input", "cursor")
        everything = (await http.get("/v1/ofl/policies", params={"limit": 200})).json()
        assert everything["next_cursor"] is None
        assert everything["items"][-1]["version"] == 1

    async def test_an_earlier_one_comes_back(self, http: httpx.AsyncClient) -> None:
        before = await live(http)
        await publish(http, text("worse"))
        path = f"/v1/ofl/policies/{before['version']}/restore"
        answer = await http.post(path, params={"comment": "it was better"})
        assert answer.status_code == 201, answer.text
        after = await live(http)
        assert (after["restores"], after["published_by"]) == (before["version"], OPERATOR)
        assert after["document"] == before["document"]
        assert (await http.get(f"/v1/ofl/policies/{before['version']}")).json()["live"] is False

    async def test_unknown_ones(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/ofl/policies/999999"), 404, "not-found")
        problem(await http.post("/v1/ofl/policies/999999/restore"), 404, "not-found")
        problem(await http.get("/v1/ofl/policies/newest"), 422, "invalid-input", "version")
        problem(await http.get("/v1/ofl/policies/99999999999"), 422, "invalid-input", "version")


class TestDifference:
    async def test_between_versions_and_drafts(self, http: httpx.AsyncClient) -> None:
        old = (await publish(http, text("one", 100))).json()["version"]
        await publish(http, text("one", 90))
        answer = await http.get("/v1/ofl/policies/diff", params={"from": str(old), "to": "live"})
        assert answer.json() == {
            "from": str(old),
            "to": "live",
            "changes": [
                {
                    "kind": "changed",
                    "strategy": "everything",
                    "path": "strategies[0].cost.split_penalty",
                    "before": 100,
                    "after": 90,
                    "words": "everything: split_penalty goes from 100 to 90",
                }
            ],
        }
        await http.put("/v1/ofl/drafts/for-diff", content=text("one", 90), headers=YAML)
        same = await http.get("/v1/ofl/policies/diff", params={"from": "live", "to": "draft:for-diff"})
        assert same.json()["changes"] == []
        await http.delete("/v1/ofl/drafts/for-diff")
        gone = await http.get("/v1/ofl/policies/diff", params={"from": "live", "to": "draft:for-diff"})
        problem(gone, 404, "not-found")
        problem(
            await http.get("/v1/ofl/policies/diff", params={"from": "x", "to": "live"}), 422, "invalid-input", "from"
        )

    async def test_the_schema_describes_the_document(self, http: httpx.AsyncClient) -> None:
        schema = (await http.get("/v1/ofl/policies/schema")).json()
        assert schema["$schema"].endswith("2020-12/schema")
        assert set((await live(http))["document"]) == set(schema["properties"])


class TestDrafts:
    async def test_from_first_word_to_publishing(self, http: httpx.AsyncClient) -> None:
        here = "/v1/ofl/drafts/cheaper"
        version = (await live(http))["version"]
        created = await http.put(here, content=WRONG, headers=YAML, params={"comment": "a try"})
        assert created.status_code == 201, created.text
        found = of_the_text(created.json()["findings"])
        assert [each["code"] for each in found] == ["unknown-node", "relax-without-fence"]
        assert created.json()["based_on"] == version
        problem(await http.post(f"{here}/publish"), 422, "policy-invalid", "strategies[0].fences.nodes[0]")
        unseen = problem(await http.put(here, content=text("lost"), headers=YAML), 409, "conflict", "revision")
        assert unseen["data"] == {"revision": 1}
        replaced = await http.put(here, content=text("cheaper"), headers=YAML, params={"revision": 1})
        assert (replaced.status_code, replaced.json()["revision"]) == (200, 2)
        found = (await http.get(here)).json()
        assert (found["source"], found["updated_by"]) == (text("cheaper"), OPERATOR)
        assert of_the_text(found["findings"]) == []
        assert "cheaper" in [each["name"] for each in (await http.get("/v1/ofl/drafts")).json()["items"]]
        published = await http.post(f"{here}/publish")
        assert (published.status_code, published.json()["version"]) == (201, version + 1)
        problem(await http.get(here), 404, "not-found")
        assert (await live(http))["published_by"] == OPERATOR

    async def test_not_over_what_went_live_since(self, http: httpx.AsyncClient) -> None:
        here = "/v1/ofl/drafts/late"
        await http.put(here, content=text("late"), headers=YAML)
        await publish(http, text("meanwhile"))
        problem(await http.post(f"{here}/publish"), 409, "conflict", "based_on")
        thrown = await http.delete(here)
        assert (thrown.status_code, thrown.json()["name"]) == (200, "late")

    async def test_what_is_no_policy_is_not_kept(self, http: httpx.AsyncClient) -> None:
        here = "/v1/ofl/drafts/nothing"
        problem(await http.put(here, content="name: x", headers=YAML), 422, "policy-invalid", "strategies")
        twice = text("x") + "name: y\n"
        problem(await http.put(here, content=twice, headers=YAML), 422, "policy-invalid", "name")
        problem(await http.get(here), 404, "not-found")
        problem(await http.delete(here), 404, "not-found")
        problem(
            await http.put("/v1/ofl/drafts/Not%20A%20Name", content=text("x"), headers=YAML),
            422,
            "invalid-input",
            "name",
        )
