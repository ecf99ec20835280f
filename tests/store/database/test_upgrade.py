"""The script that brings a database of migration 0013 to the one migration of the first release."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import migrate
from tests.store.database.catalogue import catalogue
from tests.worlds.backorders import LEEDS, aside, comes, deal, waits
from tests.worlds.books import rows

ROOT = Path(__file__).parents[3]
UPGRADE = (ROOT / "deploy/upgrade/0013.sql", ROOT / "store/migrations/sql/0001_functions.sql")
BACK = Path(__file__).with_name("to_0013.sql")
AT_0013 = "7cbdd63fed0051453d505f76c647a0592130b6a4f6bfb2a3f22be8f8952f9876"
"""Of what the migrations of commit 1292288 built."""
FIRST = "0001"
_HELD = "SELECT to_jsonb(h) FROM soft_reservations h ORDER BY id"


def digest(connection: Connection) -> str:
    """Of the schema without the bodies of functions, and without `NOT NULL`, which the columns say."""
    found = catalogue(connection)
    found["rules"] = {rule for rule in found["rules"] if not str(rule[2]).startswith("NOT NULL")}
    found["functions"] = {(name,) for name, _ in found["functions"]}
    return sha256(repr([(name, sorted(map(repr, said))) for name, said in found.items()]).encode()).hexdigest()


def run(engine: Engine, *scripts: Path) -> None:
    """Run scripts as one transaction."""
    with engine.begin() as connection:
        for script in scripts:
            connection.exec_driver_sql(script.read_text().replace("%", "%%"))


def to_first(engine: Engine) -> None:
    """Take back all but the first migration."""
    config = migrate._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, FIRST)


@pytest.fixture
def fresh(world_url: str) -> Iterator[Engine]:
    """The newest schema, with a small network in it."""
    engine = create_engine(world_url)
    yield engine
    engine.dispose()


class TestUpgrade:
    def test_begins_with_what_the_migrations_built(self, fresh: Engine) -> None:
        to_first(fresh)
        run(fresh, BACK)
        with fresh.connect() as connection:
            assert digest(connection) == AT_0013, "a change of the schema is taken back in to_0013.sql, too"

    def test_comes_to_what_the_first_release_has(self, fresh: Engine, world_url: str) -> None:
        to_first(fresh)
        with fresh.connect() as connection:
            meant = catalogue(connection)
        run(fresh, BACK)
        run(fresh, *UPGRADE)
        with fresh.connect() as connection:
            found = catalogue(connection)
        assert {name: found[name] ^ meant[name] for name in meant} == {name: set() for name in meant}
        migrate.upgrade(world_url)
        assert migrate.schema(world_url) is migrate.Schema.CURRENT

    def test_a_second_time_changes_nothing(self, fresh: Engine) -> None:
        with pytest.raises(DBAPIError, match="not at migration 0013"):
            run(fresh, *UPGRADE)

    async def test_keeps_what_is_set_aside(self, world: AsyncEngine, fresh: Engine) -> None:
        order_id = await waits(world, "kept", NEVER=1)
        await comes(world, LEEDS, 1)
        await deal(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE soft_reservations SET declined = '{\"st-york/NEVER\": 1}'"))
        before = await rows(world, _HELD)
        to_first(fresh)
        run(fresh, BACK)
        run(fresh, *UPGRADE)
        migrate.upgrade(str(fresh.url.render_as_string(hide_password=False)))
        assert await rows(world, _HELD) == before
        assert await aside(world) == {order_id: {LEEDS: 1}}
