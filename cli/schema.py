"""Brings a database to where the program expects it: migrations, and first data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.configured import check_database
from cli.embedded import postgres
from cli.folder import DataFolder
from cli.prepare import prepare_database
from settings import Settings

if TYPE_CHECKING:
    from services.seed import SeedReport

SAMPLE_DATA = Path(__file__).parent.parent / "data"


def bring_up_to_date(database_url: str, say: Callable[[str], None]) -> None:
    """Runs the migrations that are missing, and seeds the database when it is empty."""
    from services import seed

    prepare_database(database_url, lambda _: None)
    if seed.is_empty(database_url):
        say(in_words(seed.seed(database_url, SAMPLE_DATA)))


def in_words(written: SeedReport) -> str:
    """What seeding wrote, as people read it."""
    if not written.nodes:
        return "the database holds a network already; nothing was written"
    return (
        f"loaded {written.nodes:,} nodes, {written.skus:,} SKUs, {written.stock:,} stock balances, "
        f"{written.carriers:,} carriers, {written.channels:,} channels"
    )


@contextmanager
def database(settings: Settings, folder: DataFolder) -> Iterator[str]:
    """URL of the configured database, or of the running embedded one, or of one started for the duration."""
    running = folder.addresses()
    if settings.database_url:
        check_database(settings.database_url)
        yield settings.database_url
    elif running:
        yield running.database_url
    else:
        folder.prepare()
        with folder.held():
            server = postgres.start(folder.root, settings.postgres_port)
            try:
                yield server.url
            finally:
                server.stop()
