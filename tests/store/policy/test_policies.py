"""Published versions never change, one publishes after the other, and what is published decides the next order."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import Conflict, NotFound, PolicyInvalid
from dom.sourcing.policy.reading import read
from dom.sourcing.policy.writing import as_yaml
from services import policies as publishing
from services.database import Database
from services.policies import Published
from store.network import reference
from store.policy import drafts, policies
from tests.worlds import small
from tests.worlds.books import one
from tests.worlds.captured import accept
from tests.worlds.policies import changed
from tests.worlds.sourcing import sku

TEXT = """\
name: cheaper   # what we try in March
currency: GBP
strategies:
  - name: everything
    cost: {split_penalty: 100}
"""
WRONG = "name: wrong\nstrategies:\n  - name: a\n    fences: {nodes: [dc-leds]}\n"


def named(name: str, penalty: int = 100) -> str:
    return f"name: {name}\nstrategies:\n  - {{name: everything, cost: {{split_penalty: {penalty}}}}}\n"


async def publish(engine: AsyncEngine, written: str = TEXT, by: str = "ada", **asked: Any) -> Published:
    async with engine.begin() as connection:
        return await publishing.publish(connection, read(written), by, **asked)


async def live(engine: AsyncEngine) -> policies.PublishedPolicy:
    async with engine.connect() as connection:
        return await policies.get(connection)


class TestPublish:
    async def test_keeps_who_why_and_the_text_as_it_was_written(self, world: AsyncEngine) -> None:
        published = await publish(world, comment="cheaper splits")
        assert (published.version, published.name, published.is_new) == (2, "cheaper", True)
        found = await live(world)
        assert (found.version, found.published_by, found.comment, found.restores) == (2, "ada", "cheaper splits", None)
        assert found.source == TEXT
        assert found.policy.strategies[0].cost.split_penalty == 100

    async def test_decides_the_next_order(self, world: AsyncEngine) -> None:
        database = Database(engine=world, replaying=True)
        await accept(database, small.order("before", RARE=1))
        await publish(world, "name: far\nstrategies: [{name: far, fences: {nodes: [wh-london]}}]\n")
        sourced = await accept(database, small.order("after", RARE=1))
        assert sourced.fulfilments == {"web-after-F1": "wh-london"}
        version = "SELECT policy_version FROM sourcing_decisions WHERE order_id = :id"
        assert await one(world, version, id="web-before") == 1
        assert await one(world, version, id="web-after") == 2

    async def test_what_is_live_is_no_new_version(self, world: AsyncEngine) -> None:
        await publish(world)
        before = await one(world, "SELECT version FROM reference_state")
        again = await publish(world, TEXT.replace("March", "April"), by="ben")
        assert (again.version, again.is_new) == (2, False)
        assert (await live(world)).published_by == "ada"
        assert await one(world, "SELECT version FROM reference_state") == before

    async def test_what_was_live_before_is_one(self, world: AsyncEngine) -> None:
        await publish(world)
        assert (await publish(world, as_yaml(small.POLICY))).version == 3

    async def test_mistakes_are_refused_with_their_places_and_change_nothing(self, world: AsyncEngine) -> None:
        with pytest.raises(PolicyInvalid, match="line 4: there is no node dc-leds") as refused:
            await publish(world, WRONG)
        assert refused.value.field == "strategies[0].fences.nodes[0]"
        (finding, *_) = [each for each in refused.value.data["findings"] if each["code"] == "unknown-node"]
        assert (finding["line"], finding["column"], finding["hint"]) == (4, 22, "did you mean dc-leeds?")
        assert (await live(world)).version == 1

    async def test_what_cannot_be_read_is_refused(self, world: AsyncEngine) -> None:
        with pytest.raises(PolicyInvalid, match="strategies is missing"):
            await publish(world, "name: x\n")
        assert (await live(world)).version == 1

    async def test_warnings_pass_and_are_answered(self, world: AsyncEngine) -> None:
        published = await publish(world, "name: x\nstrategies: [{name: a, on_none: {relax: [network]}}]\n")
        assert [each.code for each in published.findings] == ["relax-without-fence"]
        assert published.is_new

    async def test_an_expectation_of_the_live_version_is_kept(self, world: AsyncEngine) -> None:
        assert (await publish(world, named("one"), based_on=1)).version == 2
        with pytest.raises(Conflict, match="ada has published version 2 since") as refused:
            await publish(world, named("two"), based_on=1)
        assert refused.value.data == {"live": 2}

    async def test_looks_at_the_network_as_it_is_then(self, world: AsyncEngine) -> None:
        attribute = "name: x\nstrategies: [{name: a, match: {sku_attributes: {brand: [acme]}}}, {name: b}]\n"
        async with world.begin() as connection:
            await reference.put_skus(connection, [sku("A").model_copy(update={"attributes": {"season": "winter"}})])
        with pytest.raises(PolicyInvalid, match="no SKU has an attribute brand"):
            await publish(world, attribute)
        async with world.begin() as connection:
            await reference.put_skus(connection, [sku("B").model_copy(update={"attributes": {"brand": "acme"}})])
        assert (await publish(world, attribute)).findings == ()

    async def test_the_first_policy_of_all(self, schema: AsyncEngine) -> None:
        assert (await publish(schema, named("first"))).version == 1
        async with schema.connect() as connection:
            assert await policies.find(connection, 9) is None


class TestTogether:
    async def test_publishers_come_one_after_the_other(self, world: AsyncEngine) -> None:
        came = await asyncio.gather(*(publish(world, named(f"n{n}", n), by=f"p{n}") for n in range(6)))
        assert sorted(each.version for each in came) == [2, 3, 4, 5, 6, 7]
        async with world.connect() as connection:
            kept = {row["version"]: row["document"]["name"] for row in await policies.list_policies(connection)}
        assert {each.version: each.name for each in came} | {1: "small"} == kept

    async def test_of_the_same_policy_one_makes_a_version(self, world: AsyncEngine) -> None:
        came = await asyncio.gather(*(publish(world, by=f"p{n}") for n in range(4)))
        assert [each.version for each in came] == [2] * 4
        assert sum(each.is_new for each in came) == 1

    async def test_of_those_who_expect_the_same_version_one_wins(self, world: AsyncEngine) -> None:
        asked = (publish(world, named(f"n{n}", n), based_on=1) for n in range(4))
        came = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, Published) for each in came) == 1
        assert sum(isinstance(each, Conflict) for each in came) == 3

    async def test_an_order_is_not_held_up(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await policies.one_at_a_time(connection)
            async with asyncio.timeout(20):
                await accept(Database(engine=world, replaying=True), small.order("meanwhile", A=1))


class TestNothingChangesAVersion:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE policies SET document = '{}' WHERE version = 1",
            "UPDATE policies SET published_by = 'somebody else'",
            "DELETE FROM policies",
            "TRUNCATE policies CASCADE",
        ],
    )
    async def test_the_database_refuses(self, world: AsyncEngine, change: str) -> None:
        with pytest.raises(IntegrityError, match="a published policy never changes"):
            async with world.begin() as connection:
                await connection.execute(text(change))
        assert (await live(world)).policy == small.POLICY

    async def test_a_version_brings_back_an_earlier_one_only(self, world: AsyncEngine) -> None:
        for restores in (2, 7):
            with pytest.raises(IntegrityError):
                async with world.begin() as connection:
                    await policies.publish_policy(connection, small.POLICY, "ada", restores=restores)


class TestRestore:
    async def test_says_again_what_was_said_and_names_it(self, world: AsyncEngine) -> None:
        await publish(world)
        await publish(world, named("worse", 7))
        async with world.begin() as connection:
            back = await publishing.restore(connection, 2, "ben")
        assert (back.version, back.is_new) == (4, True)
        found = await live(world)
        assert (found.restores, found.published_by, found.comment) == (2, "ben", "back to version 2")
        assert found.source == TEXT, "with its comments"

    async def test_one_that_had_no_text(self, world: AsyncEngine) -> None:
        await publish(world)
        async with world.begin() as connection:
            await publishing.restore(connection, 1, "ben", comment="as it was")
        found = await live(world)
        assert found.policy == small.POLICY
        assert found.comment == "as it was"
        assert found.source == as_yaml(small.POLICY)

    async def test_the_live_one_is_no_new_version(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            assert not (await publishing.restore(connection, 1, "ben")).is_new

    async def test_what_names_things_that_are_gone_is_refused(self, world: AsyncEngine) -> None:
        gone = changed(small.POLICY, name="gone", nodes=["closed-long-ago"])
        async with world.begin() as connection:
            await policies.publish_policy(connection, gone, "ada")
        await publish(world)
        with pytest.raises(PolicyInvalid, match="closed-long-ago"):
            async with world.begin() as connection:
                await publishing.restore(connection, 2, "ben")

    async def test_one_that_never_was(self, world: AsyncEngine) -> None:
        with pytest.raises(NotFound, match="version 9 was never published"):
            async with world.begin() as connection:
                await publishing.restore(connection, 9, "ben")


async def save(
    engine: AsyncEngine, written: str = TEXT, name: str = "try", by: str = "ada", **asked: Any
) -> drafts.Draft:
    reading = read(written)
    assert reading.document is not None
    async with engine.begin() as connection:
        return await drafts.put(connection, name, reading.document, written, by, **asked)


async def publish_draft(engine: AsyncEngine, name: str = "try", **asked: Any) -> Published:
    async with engine.begin() as connection:
        return await publishing.publish_draft(connection, name, "cara", **asked)


async def names(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return [row["name"] for row in await drafts.everyone(connection)]


class TestDrafts:
    async def test_a_new_one_is_begun_from_what_is_live(self, world: AsyncEngine) -> None:
        kept = await save(world, comment="a try")
        assert (kept.revision, kept.based_on, kept.created_by, kept.comment) == (1, 1, "ada", "a try")
        async with world.connect() as connection:
            assert await drafts.get(connection, "try") == kept
        assert kept.source == TEXT

    async def test_replaced_by_who_has_seen_it(self, world: AsyncEngine) -> None:
        await save(world)
        await publish(world, named("meanwhile"))
        second = await save(world, named("second"), by="ben", revision=1)
        assert (second.revision, second.created_by, second.updated_by) == (2, "ada", "ben")
        assert second.based_on == 1, "begun from the version it was begun from"
        assert (await save(world, named("third"), revision=2, based_on=2)).based_on == 2

    @pytest.mark.parametrize("revision", [None, 1, 3])
    async def test_not_written_over_unseen(self, world: AsyncEngine, revision: int | None) -> None:
        await save(world)
        await save(world, named("second"), by="ben", revision=1)
        with pytest.raises(Conflict, match="at revision 2, written by ben") as refused:
            await save(world, named("lost"), revision=revision)
        assert refused.value.data == {"revision": 2}

    async def test_of_two_who_create_it_at_once_one_does(self, world: AsyncEngine) -> None:
        came = await asyncio.gather(*(save(world, named(f"n{n}")) for n in range(5)), return_exceptions=True)
        assert sum(isinstance(each, drafts.Draft) for each in came) == 1
        assert sum(isinstance(each, Conflict) for each in came) == 4

    async def test_of_two_who_replace_it_at_once_one_does(self, world: AsyncEngine) -> None:
        await save(world)
        came = await asyncio.gather(
            *(save(world, named(f"n{n}"), revision=1) for n in range(5)), return_exceptions=True
        )
        assert sum(isinstance(each, drafts.Draft) for each in came) == 1
        assert sum(isinstance(each, Conflict) for each in came) == 4

    async def test_nothing_to_replace_and_nothing_to_be_begun_from(self, world: AsyncEngine) -> None:
        with pytest.raises(NotFound, match="no draft try"):
            await save(world, revision=1)
        with pytest.raises(NotFound, match="version 9 was never published"):
            await save(world, based_on=9)
        assert await names(world) == []

    async def test_listed_and_thrown_away(self, world: AsyncEngine) -> None:
        await save(world, name="first")
        await save(world, name="second")
        assert await names(world) == ["second", "first"]
        async with world.begin() as connection:
            assert (await drafts.delete(connection, "second")).name == "second"
        assert await names(world) == ["first"]
        with pytest.raises(NotFound):
            async with world.begin() as connection:
                await drafts.delete(connection, "second")


class TestPublishDraft:
    async def test_is_published_with_its_text_and_is_gone(self, world: AsyncEngine) -> None:
        await save(world, comment="a try")
        assert (await publish_draft(world)).version == 2
        found = await live(world)
        assert (found.source, found.comment, found.published_by) == (TEXT, "a try", "cara")
        assert await names(world) == []

    async def test_not_over_what_went_live_since(self, world: AsyncEngine) -> None:
        await save(world)
        await publish(world, named("meanwhile"))
        with pytest.raises(Conflict, match="begun from version 1"):
            await publish_draft(world)
        assert await names(world) == ["try"], "it is still there"
        await save(world, revision=1, based_on=2)
        assert (await publish_draft(world, comment="now")).version == 3

    async def test_not_with_mistakes(self, world: AsyncEngine) -> None:
        await save(world, WRONG)
        with pytest.raises(PolicyInvalid):
            await publish_draft(world)
        assert await names(world) == ["try"]

    async def test_at_once_it_is_published_once(self, world: AsyncEngine) -> None:
        await save(world)
        came = await asyncio.gather(*(publish_draft(world) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(each, Published) for each in came) == 1
        assert sum(isinstance(each, NotFound) for each in came) == 3


class TestKnown:
    async def test_is_what_the_network_holds(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            for code, attributes in (("A", {"brand": "acme", "set": "1"}), ("B", {"brand": "umbrella"})):
                await reference.put_skus(connection, [sku(code).model_copy(update={"attributes": attributes})])
            known = await publishing.known(connection)
        assert known.node_ids == {node.id for node in small.NODES}
        assert known.carriers == {"northline"}
        assert known.attributes == {"brand": frozenset({"acme", "umbrella"}), "set": frozenset({"1"})}

    async def test_too_many_values_are_not_listed(self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(publishing, "MOST_VALUES", 1)
        async with world.begin() as connection:
            for code in "AB":
                await reference.put_skus(connection, [sku(code).model_copy(update={"attributes": {"ean": code}})])
            assert await publishing.attributes(connection) == {"ean": None}
