"""API keys: made once, shown once, rotated, revoked, never beyond those who make them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Principal, Role, Scope, principal
from dom.shared.errors import Conflict, DomError, Forbidden, InvalidInput, NotFound
from services import api_keys
from services.api_keys import KEYS, NewKey
from services.credentials import COMMAND_LINE, Issued, is_live
from store.access import api_keys as rows
from tests.worlds import small

SHOP = NewKey("web shop", Role.CHANNEL, Limits.of(channels=["web"]))
LATER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
async def house(world: AsyncEngine) -> AsyncEngine:
    """The small network with one channel."""
    async with world.begin() as connection:
        await small.open_channel(connection)
    return world


async def made(engine: AsyncEngine, asked: NewKey = SHOP, maker: Principal = COMMAND_LINE) -> Issued:
    async with engine.begin() as connection:
        return await KEYS.create(connection, maker, asked)


async def works(engine: AsyncEngine, key: str) -> bool:
    """Whether the key is one that is let in now."""
    found = api_keys.parts(key)
    assert found is not None
    async with engine.connect() as connection:
        row = await rows.find(connection, found[0])
    return row is not None and api_keys.is_secret(row, found[1]) and is_live(row, row["now"])


class TestMaking:
    async def test_the_secret_is_kept_nowhere(self, house: AsyncEngine) -> None:
        key = (await made(house)).plaintext
        async with house.connect() as connection:
            everything = str((await connection.execute(text("SELECT row_to_json(k)::text FROM api_keys k"))).all())
        assert key.rpartition("_")[2] not in everything
        assert await works(house, key)

    async def test_no_two_are_alike(self, house: AsyncEngine) -> None:
        keys = {(await made(house)).plaintext for _ in range(5)}
        assert len(keys) == 5
        assert all(len(key.split("_", 2)[2]) == 43 for key in keys)  # 256 bits as base64

    async def test_another_secret_is_not_let_in(self, house: AsyncEngine) -> None:
        key = (await made(house)).plaintext
        assert not await works(house, key[:-1] + ("a" if key[-1] != "a" else "b"))
        other = (await made(house)).plaintext
        assert not await works(house, "_".join([*key.split("_")[:2], other.split("_", 2)[2]]))

    @pytest.mark.parametrize("text_", ["", "dom_", "dom_x", "dom__x", "dom_x_", "x_y_z", "dom_x_\u00e9"])
    def test_what_is_no_key(self, text_: str) -> None:
        assert api_keys.parts(text_) is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"subject": "system:ofl"}, "name"),
            ({"limits": Limits()}, "channels"),
            ({"limits": Limits.of(channels=[])}, "channels"),
            ({"limits": Limits.of(channels=["nobody"])}, "channels"),
            ({"limits": Limits.of(channels=["web"], nodes=["nowhere"])}, "nodes"),
            ({"scopes": frozenset({Scope.ACCESS_MANAGE})}, "scopes"),
            ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ],
    )
    async def test_what_cannot_be_is_refused(self, house: AsyncEngine, changes: dict[str, Any], field: str) -> None:
        asked = NewKey(**({name: getattr(SHOP, name) for name in SHOP.__slots__} | changes))
        with pytest.raises(InvalidInput) as refused:
            await made(house, asked)
        assert refused.value.field == field

    @pytest.mark.parametrize(
        "asked",
        [
            NewKey("me", Role.OPERATOR),
            NewKey("me", Role.OPERATOR, scopes=frozenset({Scope.ORDERS_READ})),
            NewKey("me", Role.SUPPORT),
            NewKey("me", Role.NODE, Limits.of(nodes=["dc-leeds"])),
        ],
    )
    async def test_a_key_grants_itself_nothing(self, house: AsyncEngine, asked: NewKey) -> None:
        """Its maker has the right to make keys, and of all else what a channel has."""
        scopes = principal("web", [Role.CHANNEL]).scopes | {Scope.ACCESS_MANAGE}
        maker = Principal("web", frozenset({Role.CHANNEL}), scopes, Limits.of(channels=["web"]), "k")
        with pytest.raises(Forbidden):
            await made(house, asked, maker)
        assert (await made(house, SHOP, maker)).row["created_by"] == "web"

    @pytest.mark.parametrize(
        "values",
        ["'channel', 's', NULL, NULL", "'node', 's', '{web}', NULL", "'god', 's', '{}', '{}'",
         "'operator', 'system:ofl', NULL, NULL"],
    )  # fmt: skip
    async def test_the_database_refuses_what_cannot_be(self, house: AsyncEngine, values: str) -> None:
        statement = "INSERT INTO api_keys (id, hash, created_by, role, subject, channels, nodes) VALUES "
        statement += f"('x', sha256('x'), 'test', {values})"
        with pytest.raises(IntegrityError):
            async with house.begin() as connection:
                await connection.execute(text(statement))


class TestEnding:
    async def test_a_rotated_key_works_for_the_overlap(self, house: AsyncEngine) -> None:
        old = await made(house)
        async with house.begin() as connection:
            new = await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=3600, expires_at=None)
        assert await works(house, old.plaintext)
        assert await works(house, new.plaintext)
        assert new.row["rotated_from"] == old.row["id"]
        assert (new.row["subject"], new.row["channels"]) == ("web shop", ["web"])
        async with house.connect() as connection:
            ends = await connection.scalar(text("SELECT expires_at - now() FROM api_keys WHERE expires_at IS NOT NULL"))
        assert timedelta(minutes=59) < ends <= timedelta(hours=1)

    async def test_without_overlap_it_ends_at_once(self, house: AsyncEngine) -> None:
        old = await made(house)
        async with house.begin() as connection:
            await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=0, expires_at=None)
        assert not await works(house, old.plaintext)

    async def test_rotation_prolongs_no_key(self, house: AsyncEngine) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        old = await made(house, NewKey(SHOP.subject, SHOP.role, SHOP.limits, expires_at=soon))
        async with house.begin() as connection:
            new = await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=86_400, expires_at=None)
            again = await KEYS.rows.find(connection, old.row["id"])
        assert again is not None
        assert new.row["expires_at"] == again["expires_at"] == soon

    async def test_a_key_is_rotated_once(self, house: AsyncEngine) -> None:
        """The next one would end with the overlap of the first rotation."""
        old = await made(house)
        async with house.begin() as connection:
            new = await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=86_400, expires_at=None)
        with pytest.raises(Conflict, match=f"rotated before, to {new.row['id']}"):
            async with house.begin() as connection:
                await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=86_400, expires_at=None)
        async with house.begin() as connection:
            third = await KEYS.rotate(connection, COMMAND_LINE, new.row["id"], overlap_seconds=0, expires_at=None)
        assert third.row["expires_at"] is None

    async def test_a_revoked_key_is_dead_and_cannot_be_rotated(self, house: AsyncEngine) -> None:
        key = await made(house)
        async with house.begin() as connection:
            first = await KEYS.revoke(connection, COMMAND_LINE, key.row["id"])
        async with house.begin() as connection:
            second = await KEYS.revoke(connection, COMMAND_LINE, key.row["id"])
        assert not await works(house, key.plaintext)
        assert first["revoked_at"] == second["revoked_at"]
        with pytest.raises(Conflict):
            async with house.begin() as connection:
                await KEYS.rotate(connection, COMMAND_LINE, key.row["id"], overlap_seconds=0, expires_at=None)

    async def test_an_expired_key_is_dead(self, house: AsyncEngine) -> None:
        key = await made(house, NewKey(SHOP.subject, SHOP.role, SHOP.limits, expires_at=LATER))
        assert await works(house, key.plaintext)
        async with house.begin() as connection:
            await connection.execute(text("UPDATE api_keys SET expires_at = now()"))
        assert not await works(house, key.plaintext)

    async def test_a_limited_maker_ends_and_sees_no_key_beyond_his(self, house: AsyncEngine) -> None:
        key = await made(house, NewKey("the house", Role.OPERATOR))
        limited = principal("kim", [Role.OPERATOR], Limits.of(channels=["web"]))
        for ending in (
            KEYS.revoke,
            lambda *given: KEYS.rotate(*given, overlap_seconds=0, expires_at=None),
        ):
            with pytest.raises(Forbidden):
                async with house.begin() as connection:
                    await ending(connection, limited, key.row["id"])
        shop = await made(house)
        async with house.connect() as connection:
            page = await KEYS.rows.page(connection, None, 10)
        assert [row["id"] for row in KEYS.visible_to(limited, page)] == [shop.row["id"]]

    async def test_a_key_that_never_was(self, house: AsyncEngine) -> None:
        with pytest.raises(NotFound):
            async with house.begin() as connection:
                await KEYS.revoke(connection, COMMAND_LINE, "nothing")

    async def test_rotated_twice_at_once_there_are_two_new_keys_and_no_lost_one(self, house: AsyncEngine) -> None:
        old = await made(house)

        async def rotate() -> str | DomError:
            try:
                async with house.begin() as connection:
                    new = await KEYS.rotate(connection, COMMAND_LINE, old.row["id"], overlap_seconds=0, expires_at=None)
            except DomError as error:
                return error
            return new.plaintext

        answers = await asyncio.gather(rotate(), rotate())
        assert sorted(type(each).__name__ for each in answers) == ["Conflict", "str"]


class TestLastUse:
    async def test_is_written_once_a_minute(self, house: AsyncEngine) -> None:
        key_id = (await made(house)).row["id"]

        async def use() -> datetime:
            async with house.begin() as connection:
                await KEYS.rows.used(connection, key_id)
                found = await KEYS.rows.find(connection, key_id)
            assert found is not None
            at: datetime = found["last_used_at"]
            return at

        first = await use()
        assert await use() == first
        async with house.begin() as connection:
            await connection.execute(text("UPDATE api_keys SET last_used_at = now() - interval '61 s'"))
        assert await use() > first
