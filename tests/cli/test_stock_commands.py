"""`dom stock`: checks, reconciles and shows, with totals that add up in what is printed."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from cli import stock_ledger, stock_screens
from services.database import Database
from store.database import engine as database
from tests.cli.conftest import Dom
from tests.worlds import reallocating, small
from tests.worlds.broken import edit
from tests.worlds.captured import accept
from tests.worlds.selling import hand_over, hold, sell

A_SLIP = """
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
VALUES ('wh-london', 'A', 'adjustment', -7, 0, 'slip', 'test', now())
"""
CANCELS_OUT = """
UPDATE stock SET on_hand = on_hand + CASE node_id WHEN 'dc-leeds' THEN 1 ELSE -1 END
WHERE sku = 'A' AND node_id IN ('dc-leeds', 'wh-london')
"""


NOBODY = "no order of a class that others may give to waits for stock by a day\n"


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def a_scarce_day(url: str) -> None:
    """All of RARE at dc-leeds is an order's that can wait a month; a vip wants it now, and some comes in a week."""

    async def work() -> None:
        pool, now = database.create(url, 1), datetime.now(UTC)
        house = Database(engine=pool)
        await reallocating.policy(pool)
        days: dict[str, dict[str, Any]] = {
            "waits": {"RARE": 2},
            "rest": {"RARE": 3},
            "vip": {"RARE": 2, "customer": reallocating.VIP, "requested_by": now},
        }
        for name, fields in days.items():
            await accept(house, small.order(name, tags=[], **fields))
        await reallocating.comes_on(pool, now.date() + timedelta(days=7), RARE=2)
        await pool.dispose()

    asyncio.run(work())
    execute(url, "UPDATE orders SET promise_latest = now() + interval '30 days' WHERE id = 'web-waits'")
    execute(url, "UPDATE order_lines SET promised = now() + interval '30 days' WHERE order_id = 'web-waits'")


class TestReallocate:
    def test_it_is_shown_and_then_made(self, dom: Dom, world_url: str) -> None:
        a_scarce_day(world_url)
        shown = dom("stock", "reallocate")
        assert shown.exit_code == 0, shown.output
        assert shown.stdout.startswith(
            "web-vip gets 2 RARE at dc-leeds: 2 of web-waits, which has its own from dc-leeds"
        )
        assert shown.stdout.endswith("1 re-allocations found; --run makes them\n")
        made = json.loads(dom("stock", "reallocate", "RARE", "--run", "--json", "--by", "kim").stdout)
        assert [each["order_id"] for each in made["reallocations"]] == ["web-vip"]
        assert dom("stock", "reallocate", "--run").stdout == NOBODY + "0 re-allocations made\n"
        for order_id, other in (("web-vip", "web-waits"), ("web-waits", "web-vip")):
            explained = dom("ofl", "explain", order_id)
            assert (explained.exit_code, other in explained.output) == (0, True), explained.output
        with psycopg.connect(world_url.replace("+psycopg", "")) as connection:
            query = "SELECT DISTINCT actor FROM timeline WHERE kind = 'reallocated'"
            assert connection.execute(query).fetchall() == [("kim",)]
            query = "SELECT principal, route, object FROM audit_log ORDER BY id"
            assert connection.execute(query).fetchone() == ("kim", "dom stock reallocate", "RARE")

    def test_nobody_gives(self, dom: Dom) -> None:
        assert dom("stock", "reallocate").stdout == NOBODY + "0 re-allocations found; --run makes them\n"

    def test_where_nobody_gives_it_says_why(self, dom: Dom, world_url: str) -> None:
        a_scarce_day(world_url)
        execute(world_url, "UPDATE fulfilments SET status = 'accepted'")
        shown = dom("stock", "reallocate")
        assert shown.stdout == (
            "web-vip gets none of 2 RARE: no order of a class that weighs less has it in work that it may give\n"
            "0 re-allocations found; --run makes them\n"
        )
        said = json.loads(dom("stock", "reallocate", "--json").stdout)
        assert (said["waiting"], [each["why"] for each in said["not_helped"]]) == (1, ["no_lighter_order"])


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
        assert "`dom prepare`, or `dom migrate`" in answer.output


NARROW = 100


@pytest.fixture
def busy_url(world_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Orders open and shipped, a cart, a lapsed cart, an order that waits, goods on their way, on 100 columns."""

    async def fill() -> None:
        engine = database.create(world_url, 2)
        await sell(engine, small.order("open", A=2, B=3))
        shipped = small.order("shipped", A=4)
        await hand_over(engine, shipped, await sell(engine, shipped))
        await sell(engine, small.order("london", A=1), "wh-london")
        await hold(engine, "live", "dc-leeds", "RARE", 1)
        await hold(engine, "lapsed", "st-york", "A", 2, seconds=0)
        await engine.dispose()

    asyncio.run(fill())
    for statement in (
        "UPDATE stock SET damaged = 7, quarantine = 2, counted_at = '2026-02-03 12:00Z' WHERE sku = 'A'",
        "UPDATE stock SET safety_stock = 10, promise_safety = 60 WHERE sku = 'A' AND node_id = 'wh-london'",
        "UPDATE stock SET safety_stock = 4, promise_safety = 9 WHERE sku = 'A' AND node_id = 'st-york'",
        "UPDATE order_lines SET backordered = 2 WHERE order_id = 'web-open' AND sku = 'A'",
        """INSERT INTO inbound (reference, kind, status, node_id, due_on, confidence, actor)
        VALUES ('PO-1', 'purchase_order', 'announced', 'dropship-lille', '2030-01-01', 50, 'x')""",
        "INSERT INTO inbound_lines (reference, sku, quantity, received) VALUES ('PO-1', 'A', 30, 5)",
        "INSERT INTO channels (id, document) VALUES ('web', '{}')",
        "INSERT INTO channel_rules (channel, buffer, share) VALUES ('web', 4, 50)",
    ):
        execute(world_url, statement)
    for module in (stock_screens, stock_ledger):
        monkeypatch.setattr(module, "console", lambda: Console(highlight=False, width=NARROW))
    return world_url


def figures(output: str) -> dict[str, list[str]]:
    """The printed lines of figures by their first word, without it."""
    assert all(len(line) <= NARROW for line in output.splitlines()), output
    assert "\N{HORIZONTAL ELLIPSIS}" not in output, "something was cut off"
    return {line.split()[0]: line.split()[1:] for line in output.splitlines() if len(line.split()) > 2}


def added(lines: Sequence[list[str]], columns: int) -> list[int]:
    return [sum(int(line[column].replace("-", "0")) for line in lines) for column in range(columns)]


class TestShow:
    def test_a_line_per_node_and_a_total_that_adds_up(self, dom: Dom, busy_url: str) -> None:
        answer = dom("stock", "show", "A")
        assert answer.exit_code == 0, answer.exception
        found = figures(answer.output)
        # on hand, damaged, quarantine, firm, soft, safety, promise safety, free OFL, free to promise, inbound
        assert found["dc-leeds"][:10] == ["96", "7", "2", "2", "0", "0", "0", "94", "94", "0"]
        assert found["wh-london"][:10] == ["50", "7", "2", "1", "0", "10", "60", "39", "0", "0"]
        assert found["st-york"][:10] == ["5", "7", "2", "0", "0", "4", "9", "1", "0", "0"], "what lapsed is free"
        assert found["dropship-lille"][:10] == ["-", "-", "-", "-", "-", "-", "-", "0", "0", "25"]
        assert found["st-york"][10] == "2026-02-03"
        nodes = [found[name] for name in ("dc-leeds", "wh-london", "st-york", "dropship-lille")]
        assert [int(each) for each in found["total"]] == added(nodes, 10)

    def test_orders_that_wait(self, dom: Dom, busy_url: str) -> None:
        answer = dom("stock", "show", "A").output
        assert "2 units wait in 1 order, next first" in answer
        assert figures(answer)["web-open"][-2:] == ["2", "0"]
        assert "no order waits" in dom("stock", "show", "B").output

    def test_units_between_two_nodes_are_told_apart(self, dom: Dom, busy_url: str) -> None:
        for statement in (
            """INSERT INTO inbound (reference, kind, status, origin_node, node_id, due_on, confidence, actor)
            VALUES ('T-1', 'transfer', 'in_transit', 'dc-leeds', 'st-york', '2030-01-01', 100, 'x')""",
            "INSERT INTO inbound_lines (reference, sku, quantity, received) VALUES ('T-1', 'B', 8, 3)",
        ):
            execute(busy_url, statement)
        assert "5 in transit from dc-leeds to st-york, in no balance" in dom("stock", "show", "B").output
        assert "in transit" not in dom("stock", "show", "A").output

    def test_a_channel_sees_what_its_rules_leave(self, dom: Dom, busy_url: str) -> None:
        found = figures(dom("stock", "show", "A", "--channel", "web").output)
        assert found["dc-leeds"][9] == "45", "half of what is left of 94 beyond a buffer of 4"
        assert found["total"][9] == "45"

    def test_a_node_out_of_use_has_nothing_free(self, dom: Dom, busy_url: str) -> None:
        execute(busy_url, "UPDATE nodes SET active = false WHERE id = 'dc-leeds'")
        found = figures(dom("stock", "show", "A").output)
        assert found["dc-leeds"][:10] == ["(off)", "96", "7", "2", "2", "0", "0", "0", "0", "0"]

    @pytest.mark.parametrize(
        ("arguments", "named"), [(("show", "NONE"), "no SKU NONE"), (("show", "A", "--channel", "no"), "no channel no")]
    )
    def test_what_does_not_exist_is_one_line(self, dom: Dom, arguments: tuple[str, ...], named: str) -> None:
        refused = dom("stock", *arguments)
        assert refused.exit_code == 1
        (line,) = refused.stderr.splitlines()
        assert named in line


class TestNode:
    def test_totals_are_those_of_all_rows(self, dom: Dom, busy_url: str) -> None:
        whole = figures(dom("stock", "node", "dc-leeds").output)
        skus = [whole[name] for name in ("A", "B", "RARE")]
        assert whole["all"][0] == "3"
        assert [int(each) for each in whole["all"][1:10]] == added(skus, 9)
        part = figures(dom("stock", "node", "dc-leeds", "--limit", "2").output)
        assert part["all"] == whole["all"]
        assert "RARE" not in part
        assert part["2"][0] == "shown"
        assert [int(each) for each in part["2"][1:]] == added([part["A"], part["B"]], 9)

    def test_chosen_by_beginning_and_by_what_is_left(self, dom: Dom, busy_url: str) -> None:
        chosen = figures(dom("stock", "node", "dc-leeds", "--sku-prefix", "RA").output)
        assert {"A", "B", "RARE"} & chosen.keys() == {"RARE"}
        low = figures(dom("stock", "node", "dc-leeds", "--low", "1").output)
        assert {"A", "B", "RARE"} & low.keys() == {"RARE"}, "one of two is held by a cart"

    def test_capacity_of_the_next_days(self, dom: Dom, busy_url: str) -> None:
        execute(
            busy_url,
            """UPDATE nodes SET daily_capacity = 9,
               document = document || '{"service_capacity": {"express": 4}}' WHERE id = 'dc-leeds'""",
        )
        execute(
            busy_url,
            """INSERT INTO node_days (node_id, day, service, used)
            SELECT 'dc-leeds', (now() AT TIME ZONE 'Europe/London')::date + 1, service, used
            FROM (VALUES ('', 3), ('express', 2)) AS taken (service, used)""",
        )
        answer = dom("stock", "node", "dc-leeds").output
        assert "2/4" in answer
        days = [line.split() for line in answer.splitlines() if line.strip().startswith("20")]
        assert len(days) == 7
        assert ["3", "9", "6", "2/4"] in [day[1:] for day in days]

    def test_an_unknown_node(self, dom: Dom) -> None:
        assert "no node nowhere" in dom("stock", "node", "nowhere").stderr


class TestLedger:
    def test_opening_entries_and_closing_add_up_to_the_balance(self, dom: Dom, busy_url: str) -> None:
        of_place = ("stock", "ledger", "--sku", "A", "--node", "dc-leeds")
        for limit in ("1", "3", "50"):
            screen = json.loads(dom(*of_place, "--limit", limit, "--json").stdout)
            moved = {name: sum(e[name] for e in screen["entries"]) for name in screen["opening"]}
            assert screen["closing"] == {name: screen["opening"][name] + moved[name] for name in moved}
            assert screen["earlier"] == (limit != "50")
            assert (screen["closing"]["on_hand"], screen["closing"]["reserved"]) == (96, 2)
            assert (screen["balance"]["on_hand"], screen["balance"]["reserved"]) == (96, 2)
        assert screen["opening"]["on_hand"] == 0

    def test_the_printed_balance_runs_from_opening_to_closing(self, dom: Dom, busy_url: str) -> None:
        execute(busy_url, "UPDATE stock SET damaged = 0, quarantine = 0 WHERE sku = 'A' AND node_id = 'dc-leeds'")
        answer = dom("stock", "ledger", "--sku", "A", "--node", "dc-leeds", "--limit", "3")
        assert answer.exit_code == 0, answer.output
        found = figures(answer.output)
        assert found["opening"] == ["100", "0"]
        running = [line[-2:] for first, line in found.items() if first.isdigit()]
        assert running[-1] == found["closing"] == ["96", "2"]
        assert "says otherwise" not in answer.output

    def test_a_balance_that_says_otherwise_is_told(self, dom: Dom, busy_url: str) -> None:
        answer = dom("stock", "ledger", "--sku", "A", "--node", "dc-leeds")
        assert "the balance says otherwise (96 on hand, 7 damaged" in answer.output

    def test_entries_of_an_order_a_kind_a_key(self, dom: Dom, busy_url: str) -> None:
        def keys(*chosen: str) -> list[str]:
            screen = json.loads(dom("stock", "ledger", *chosen, "--json").stdout)
            assert screen["closing"] is None, "of a part of a place's entries no balance can be told"
            return [entry["business_key"] for entry in screen["entries"]]

        assert keys("--order", "web-shipped") == ["web-shipped-F1/reserve", "web-shipped-F1/ship"]
        assert keys("--kind", "ship") == ["web-shipped-F1/ship"]
        assert keys("--key", "web-shipped-F1/s") == ["web-shipped-F1/ship"]
        assert keys("--kind", "ship", "--sku", "A", "--node", "dc-leeds") == ["web-shipped-F1/ship"]
        assert keys("--since", "2100-01-01") == []
        assert len(keys("--since", "2020-01-01T00:00Z")) == 14

    @pytest.mark.parametrize(
        ("arguments", "named"), [(("--kind", "magic"), "no kind magic"), (("--since", "soon"), "soon is no time")]
    )
    def test_a_wrong_filter_is_one_line(self, dom: Dom, arguments: tuple[str, ...], named: str) -> None:
        refused = dom("stock", "ledger", *arguments)
        assert refused.exit_code == 1
        (line,) = refused.stderr.splitlines()
        assert named in line


def corrupt(url: str, *statements: str) -> None:
    async def work() -> None:
        engine = database.create(url, 1)
        await edit(engine, *statements)
        await engine.dispose()

    asyncio.run(work())


class TestReconcile:
    def test_nothing_to_find(self, dom: Dom) -> None:
        for arguments in ((), ("--repair",)):
            answer = dom("stock", "reconcile", *arguments)
            assert answer.exit_code == 0, answer.output
            assert "the books agree" in answer.output

    def test_finds_repairs_and_finds_nothing_more(self, dom: Dom, world_url: str) -> None:
        corrupt(world_url, "DELETE FROM stock WHERE node_id = 'dc-leeds' AND sku = 'A'")
        found = dom("stock", "reconcile")
        assert found.exit_code == 1
        assert "balance_missing" in found.output
        assert "dc-leeds/A" in found.output
        assert dom("stock", "reconcile").exit_code == 1, "looking changes nothing"
        repaired = dom("stock", "reconcile", "--repair")
        assert repaired.exit_code == 0, repaired.output
        assert "1 differences found, 1 places mended" in repaired.output
        assert dom("stock", "reconcile").exit_code == 0
        assert dom("stock", "check").exit_code == 0

    def test_says_what_it_cannot_mend(self, dom: Dom, world_url: str) -> None:
        execute(world_url, A_SLIP.replace("-7", "-70"))
        answer = dom("stock", "reconcile", "--repair")
        assert answer.exit_code == 1
        assert "it would say -20 on hand" in answer.output.replace("\n", " ")
        assert dom("stock", "reconcile", "--repair", "--trust", "balance", "--by", "grace").exit_code == 0
        screen = json.loads(dom("stock", "ledger", "--kind", "reconcile", "--json").stdout)
        assert [(entry["actor"], entry["on_hand"]) for entry in screen["entries"]] == [("grace", 70)]

    def test_as_json(self, dom: Dom, world_url: str) -> None:
        execute(world_url, "UPDATE stock SET on_hand = on_hand + 1")
        screen = json.loads(dom("stock", "reconcile", "--json", "--limit", "2").stdout)
        assert (screen["remaining"], screen["counts"], len(screen["differences"])) == (7, {"on_hand": 7}, 2)
        assert screen["differences"][0] == {
            "fault": "on_hand",
            "place": "dc-leeds/A",
            "about": "",
            "detail": "balance 101, ledger 100",
            "mend": "the balance becomes 100",
        }
        repaired = json.loads(dom("stock", "reconcile", "--repair", "--json").stdout)
        assert (repaired["remaining"], repaired["repair"]["found"], repaired["repair"]["mended"]) == (0, 7, 7)

    def test_more_than_are_listed_are_counted_by_name(self, dom: Dom, world_url: str) -> None:
        execute(world_url, "UPDATE stock SET on_hand = on_hand + 1, damaged = 1")
        answer = dom("stock", "reconcile", "--limit", "1")
        assert "13 more are not listed; all by name: on_hand 7, damaged 7" in answer.output.replace("\n", " ")

    def test_trust_in_nobody_is_refused(self, dom: Dom) -> None:
        assert dom("stock", "reconcile", "--trust", "me").exit_code == 2
