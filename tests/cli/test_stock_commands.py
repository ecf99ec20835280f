"""`dom stock check` finds every disagreement between the books."""

from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Dom

A_SLIP = """
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
VALUES ('wh-london', 'A', 'adjustment', -7, 0, 'slip', 'test', now())
"""
CANCELS_OUT = """
UPDATE stock SET on_hand = on_hand + CASE node_id WHEN 'dc-leeds' THEN 1 ELSE -1 END
WHERE sku = 'A' AND node_id IN ('dc-leeds', 'wh-london')
"""


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


class TestStockCheck:
    def test_books_that_agree(self, dom: Dom) -> None:
        answer = dom("stock", "check")
        assert answer.exit_code == 0, answer.output
        assert "balances, ledger and reservations agree" in answer.output
        assert "280" in answer.output, "units on hand in the small network"

    @pytest.mark.parametrize(
        ("statement", "shown"),
        [
            ("UPDATE stock SET on_hand = 99 WHERE node_id = 'dc-leeds' AND sku = 'A'", ("dc-leeds", " 99 ", " 100 ")),
            ("UPDATE stock SET reserved = 3 WHERE node_id = 'st-york' AND sku = 'A'", ("st-york", " 3 ", " 0 ")),
            (A_SLIP, ("wh-london", " 50 ", " 43 ")),
        ],
    )
    def test_one_wrong_unit_is_shown(self, dom: Dom, world_url: str, statement: str, shown: tuple[str, ...]) -> None:
        execute(world_url, statement)
        answer = dom("stock", "check")
        assert answer.exit_code == 1, answer.output
        assert "1 balances differ" in answer.output
        assert all(part in answer.output for part in shown), answer.output

    def test_errors_that_cancel_out_are_found(self, dom: Dom, world_url: str) -> None:
        execute(world_url, CANCELS_OUT)
        answer = dom("stock", "check")
        assert answer.exit_code == 1
        assert "2 balances differ" in answer.output

    def test_a_folder_without_data_is_left_as_it_is(self, dom: Dom, tmp_path: Path) -> None:
        answer = dom("stock", "check", DOM_DATABASE_URL="")
        assert answer.exit_code == 1
        assert "holds no database yet" in answer.output
        assert not (tmp_path / "var").exists()


class TestSchema:
    def test_a_database_without_our_schema_is_named(self, dom: Dom, world_url: str) -> None:
        answer = dom("stock", "check", DOM_DATABASE_URL=world_url.rpartition("/")[0] + "/postgres")
        assert answer.exit_code == 1
        assert "run `dom migrate`" in answer.output.lower()
