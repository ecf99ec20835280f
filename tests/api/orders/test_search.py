"""The order list by what people know, and views of it: each finds what is his."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role, Scope
from tests.api.driving import Channel, order, problem
from tests.worlds.access import key_of

VIEWS = "/v1/orders/views"


async def ids(http: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None) -> list[str]:
    answer = await http.get(f"/v1/orders?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [row["order_id"] for row in answer.json()["items"]]


async def keep(http: httpx.AsyncClient, headers: dict[str, str] | None = None, **content: object) -> dict[str, str]:
    answer = await http.post(VIEWS, json=content, headers=headers)
    assert answer.status_code == 201, answer.text
    kept: dict[str, str] = answer.json()
    return kept


class TestSearch:
    async def test_an_order_is_found_by_each_of_its_numbers(self, channel: Channel) -> None:
        order_id = await channel.place(order(sku := await channel.stocked_sku(10)))
        for asked in (
            f"q={order_id}",
            f"q={order_id}-F1",
            f"q={sku}",
            f"sku={sku}&q=ada+byrne",
            f"sku={sku}&late=false",
        ):
            assert await ids(channel.http, asked) == [order_id], asked
        for asked in (f"sku={sku}&late=true", f"sku={sku}&stuck=true", f"sku={sku}&placed_from=today-7"):
            assert await ids(channel.http, asked) == [], asked

    async def test_pages_in_the_sequence_of_the_promise(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        placed = {await channel.place(order(sku)) for _ in range(3)}
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = (await channel.http.get(f"/v1/orders?sku={sku}&sort=promise&limit=2{cursor}")).json()
            found += [row["order_id"] for row in answer["items"]]
            cursor = f"&cursor={answer['next_cursor']}" if answer["next_cursor"] else None
        assert len(found) == 3
        assert set(found) == placed

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("placed_from=tomorrow", "placed_from"),
            ("promise_to=2026-02-30", "promise_to"),
            ("late=perhaps", "late"),
            ("stuck_hours=0", "stuck_hours"),
            ("sort=size", "sort"),
            ("tracking=123", "tracking"),
            ("late=true&late=false", "late"),
            ("latee=true", "latee"),
        ],
    )
    async def test_what_cannot_be_asked_is_refused_by_name(
        self, http: httpx.AsyncClient, query: str, field: str
    ) -> None:
        problem(await http.get(f"/v1/orders?{query}"), 422, "invalid-input", field)

    async def test_another_s_channel_or_node_cannot_be_named(
        self, http: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        limits = Limits.of(channels=["web"], nodes=["dc-daventry"])
        limited = await key_of(engine, Role.SUPPORT, limits, name="support of web")
        for name, value in (("channel", "b2b"), ("node", "wh-venlo")):
            refused = await http.get(f"/v1/orders?{name}={value}", headers=limited)
            problem(refused, 403, "forbidden", name)


class TestViews:
    async def test_a_view_is_kept_changed_and_deleted(self, http: httpx.AsyncClient) -> None:
        view = await keep(http, name="late ones", filter={"late": True, "sort": "promise"})
        here = f"{VIEWS}/{view['id']}"
        again = await http.post(VIEWS, json={"name": "late ones", "filter": {"late": True, "sort": "promise"}})
        assert (again.status_code, again.json()) == (200, view)
        other = {"name": "late ones", "filter": {"late": False}}
        assert problem(await http.post(VIEWS, json=other), 409, "conflict", "name")["data"] == {"id": view["id"]}
        changed = await http.put(here, json={"name": "stuck ones", "filter": {"stuck": True}, "shared": True})
        assert (changed.json()["name"], changed.json()["filter"]["stuck"]) == ("stuck ones", True)
        assert (await http.get(here)).json() == changed.json()
        assert view["id"] in {each["id"] for each in (await http.get(VIEWS)).json()["items"]}
        assert (await http.delete(here)).json() == changed.json()
        problem(await http.get(here), 404, "not-found")

    async def test_a_name_of_another_view_is_refused(self, http: httpx.AsyncClient) -> None:
        first, second = [await keep(http, name=f"taken {number}", filter={}) for number in (1, 2)]
        answer = await http.put(f"{VIEWS}/{second['id']}", json={"name": "taken 1", "filter": {}})
        assert problem(answer, 409, "conflict", "name")["data"] == {"id": first["id"]}

    @pytest.mark.parametrize(
        ("content", "field"),
        [
            ({"name": "x", "filter": {"lat": True}}, "filter.lat"),
            ({"name": "x", "filter": {"late": "yes"}}, "filter.late"),
            ({"name": "x", "filter": {"placed_from": "soon"}}, "filter.placed_from"),
            ({"name": " ", "filter": {}}, "name"),
            ({"name": "x"}, "filter"),
        ],
    )
    async def test_a_filter_is_checked(self, http: httpx.AsyncClient, content: dict[str, object], field: str) -> None:
        problem(await http.post(VIEWS, json=content), 422, "invalid-input", field)

    async def test_a_view_is_applied_and_narrowed(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        first, second = [await channel.place(order(sku)) for _ in range(2)]
        view = await keep(channel.http, name=f"of {sku}", filter={"sku": sku})
        assert await ids(channel.http, f"view={view['id']}") == [second, first]
        assert await ids(channel.http, f"view={view['id']}&q={first}") == [first]
        assert await ids(channel.http, f"view={view['id']}&late=true") == []
        problem(await channel.http.get("/v1/orders?view=v-none"), 404, "not-found", "view")
        problem(await channel.http.get("/v1/orders?view="), 404, "not-found", "view")

    async def test_a_shared_view_shows_each_what_he_may_see(self, channel: Channel, engine: AsyncEngine) -> None:
        http, sku = channel.http, await channel.stocked_sku(10)
        of_web, of_b2b = [await channel.place(order(sku, channel=name)) for name in ("web", "b2b")]
        view = await keep(http, name=f"shared {sku}", shared=True, filter={"sku": sku, "channel": ["web", "b2b"]})
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["web"]), name="ann")
        assert await ids(http, f"view={view['id']}") == [of_b2b, of_web]
        assert await ids(http, f"view={view['id']}", support) == [of_web]
        here = f"{VIEWS}/{view['id']}"
        problem(await http.put(here, json={"name": "mine", "filter": {}}, headers=support), 403, "forbidden")
        problem(await http.delete(here, headers=support), 403, "forbidden")

    async def test_one_that_is_not_shared_is_its_owner_s_alone(
        self, http: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        view = await keep(http, name="mine alone", filter={})
        ann = await key_of(engine, Role.SUPPORT, Limits.of(), name="ann")
        for ask in (http.get(f"{VIEWS}/{view['id']}", headers=ann), http.delete(f"{VIEWS}/{view['id']}", headers=ann)):
            problem(await ask, 404, "not-found")
        assert view["id"] not in {each["id"] for each in (await http.get(VIEWS, headers=ann)).json()["items"]}

    async def test_a_channel_sees_nothing_of_the_merchant_s_views(
        self, http: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        of_merchant = await keep(http, name="fraud suspects", shared=True, filter={"tag": ["fraud"]})
        web = [await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]), name=name) for name in ("shop", "app")]
        b2b = await key_of(engine, Role.CHANNEL, Limits.of(channels=["b2b"]), name="portal")
        of_web = await keep(http, web[0], name="open", shared=True, filter={"status": ["accepted"]})

        async def seen(headers: dict[str, str] | None) -> set[str]:
            return {each["id"] for each in (await http.get(f"{VIEWS}?limit=200", headers=headers)).json()["items"]}

        assert of_merchant["id"] in await seen(None)
        assert of_web["id"] not in await seen(None)
        assert await seen(web[0]) == await seen(web[1]) == {of_web["id"]}
        assert await seen(b2b) == set()
        problem(await http.get(f"/v1/orders?view={of_merchant['id']}", headers=b2b), 404, "not-found", "view")

    async def test_lists_page_by_name(self, http: httpx.AsyncClient, engine: AsyncEngine) -> None:
        ben = await key_of(
            engine, Role.CHANNEL, Limits.of(channels=["till"]), name="ben", scopes=frozenset({Scope.ORDERS_READ})
        )
        for name in ("c", "a", "b"):
            await keep(http, ben, name=name, filter={})
        first = (await http.get(f"{VIEWS}?limit=2", headers=ben)).json()
        rest = (await http.get(f"{VIEWS}?limit=2&cursor={first['next_cursor']}", headers=ben)).json()
        assert [each["name"] for each in (*first["items"], *rest["items"])] == ["a", "b", "c"]
        assert rest["next_cursor"] is None

    async def test_nobody_keeps_more_than_a_hundred(
        self, http: httpx.AsyncClient, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.saved_views.MOST", 1)
        eve = await key_of(engine, Role.PLANNER, Limits.of(), name="eve")
        await keep(http, eve, name="first", filter={})
        problem(await http.post(VIEWS, json={"name": "second", "filter": {}}, headers=eve), 409, "conflict")
