"""The committed sample fills an empty database, and never touches one that is in use."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from services import seed
from services.seed import SeedReport
from store.database import migrate


def counts(url: str) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        names = ("nodes", "skus", "stock", "places", "tariffs", "policies", "stock_ledger")
        found = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in names}  # noqa: S608
        found["version"] = connection.scalar(text("SELECT version FROM reference_state")) or 0
    engine.dispose()
    return found


class TestSeed:
    def test_fills_an_empty_database_once(self, empty_url: str, data_folder: Path) -> None:
        migrate.upgrade(empty_url)
        assert seed.is_empty(empty_url)
        report = seed.seed(empty_url, data_folder)
        written = counts(empty_url)
        assert report.nodes == written["nodes"] >= 12
        assert report.skus == written["skus"] > 1000
        assert report.stock == written["stock"] > report.skus
        assert report.places == written["places"] > 1000
        assert report.carriers == written["tariffs"] >= 1
        assert report.policy_version == 1 == written["policies"]
        assert not seed.is_empty(empty_url)
        differing = create_engine(empty_url)
        with differing.connect() as connection:
            wrong = connection.scalar(
                text("""
                SELECT count(*) FROM stock s LEFT JOIN stock_ledger l USING (node_id, sku)
                WHERE s.on_hand <> coalesce(l.on_hand_delta, 0) OR s.reserved <> 0
                """)
            )
        differing.dispose()
        assert wrong == 0
        assert seed.seed(empty_url, data_folder) == SeedReport()
        assert counts(empty_url) == written

    def test_leaves_nothing_half_written(self, database_url: str, data_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "sample").symlink_to(data_folder / "sample")
        with pytest.raises(FileNotFoundError):
            seed.seed(database_url, tmp_path)
        assert counts(database_url)["nodes"] == counts(database_url)["skus"] == 0
        assert seed.is_empty(database_url)
