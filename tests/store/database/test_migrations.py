"""The migrations build what `store.tables` says, once, from whatever was there, and take it away again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from store.database import migrate
from store.tables import metadata
from tests.store.database.catalogue import catalogue


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            return {name for (name,) in found}
    finally:
        engine.dispose()


class TestUpgrade:
    def test_builds_everything_from_nothing(self, empty_url: str) -> None:
        assert migrate.schema(empty_url) is not migrate.Schema.CURRENT
        migrate.upgrade(empty_url)
        assert migrate.schema(empty_url) is migrate.Schema.CURRENT
        assert tables(empty_url) == {*metadata.tables, "alembic_version"}

    def test_a_second_time_changes_nothing(self, empty_url: str) -> None:
        migrate.upgrade(empty_url)
        engine = create_engine(empty_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE reference_state SET version = 7"))
            before = catalogue(connection)
        migrate.upgrade(empty_url)
        with engine.connect() as connection:
            assert catalogue(connection) == before
            assert connection.scalar(text("SELECT version FROM reference_state")) == 7
        engine.dispose()

    def test_several_at_once_wait_for_each_other(self, empty_url: str) -> None:
        with ThreadPoolExecutor(4) as several:
            for done in [several.submit(migrate.upgrade, empty_url) for _ in range(4)]:
                done.result(timeout=60)
        assert migrate.schema(empty_url) is migrate.Schema.CURRENT
        engine = create_engine(empty_url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM reference_state")) == 1
        engine.dispose()

    def test_starts_the_reference_data_at_a_version(self, empty_url: str) -> None:
        migrate.upgrade(empty_url)
        engine = create_engine(empty_url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT id, version FROM reference_state")).one().id is True
        engine.dispose()


class TestSchema:
    def test_alembic_finds_no_difference_to_the_tables(self, database_url: str) -> None:
        engine = create_engine(database_url)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        engine.dispose()

    @pytest.mark.parametrize("part", ["columns", "rules", "indexes"])
    def test_is_to_the_letter_what_the_tables_would_make(self, database_url: str, empty_url: str, part: str) -> None:
        """Alembic does not compare checks and defaults; the database's own catalogue does."""
        migrated, made = create_engine(database_url), create_engine(empty_url)
        with migrated.connect() as left, made.begin() as right:
            metadata.create_all(right)
            built, meant = catalogue(left)[part], catalogue(right)[part]
        migrated.dispose()
        made.dispose()
        assert built ^ meant == set()


class TestDowngrade:
    def test_leaves_nothing_and_can_be_upgraded_again(self, empty_url: str) -> None:
        migrate.upgrade(empty_url)
        config, engine = migrate._config(), create_engine(empty_url)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
        engine.dispose()
        assert tables(empty_url) == {"alembic_version"}
        assert migrate.schema(empty_url) is not migrate.Schema.CURRENT
        migrate.upgrade(empty_url)
        assert migrate.schema(empty_url) is migrate.Schema.CURRENT
