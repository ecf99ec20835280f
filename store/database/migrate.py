"""Brings a database to the newest schema. Safe to run from several processes at once."""

from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from store.database import engine as database

_LOCK = 0x646F6D  # "dom": an advisory lock, so that two migrations never run side by side


class Schema(StrEnum):
    """How a database stands to this program; `ahead` is one that a newer program has migrated."""

    CURRENT = "current"
    MISSING = "missing"
    BEHIND = "behind"
    AHEAD = "ahead"


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing."""
    engine = database.create_single(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def schema(database_url: str) -> Schema:
    """How the database stands to this program."""
    engine = database.create_single(database_url)
    try:
        with engine.connect() as connection:
            there = connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
            found = connection.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    finally:
        engine.dispose()
    return state_of(found)


def state_of(revision: str | None) -> Schema:
    """How a database of this revision stands to this program; None has no schema."""
    if revision is None:
        return Schema.MISSING
    head, known = _revisions()
    if revision == head:
        return Schema.CURRENT
    return Schema.BEHIND if revision in known else Schema.AHEAD


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest revision of this program, and all of them."""
    script = ScriptDirectory.from_config(_config())
    return script.get_current_head(), frozenset(each.revision for each in script.walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config
