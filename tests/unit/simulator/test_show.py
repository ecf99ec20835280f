"""What people see of a run, at the widths terminals have."""

import re
from collections import deque
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from simulator.api import Calls
from simulator.board import Board, BoardOrder, Fulfilment
from simulator.clock import Clock
from simulator.show import Progress, show_summary
from simulator.summary import summarise
from tests.unit.simulator.fakes import PLACED

WIDTHS = (80, 100, 140)
LABELS = ("sent", "captured", "in work", "waiting", "delivered", "cancelled", "returns")


def board_of(orders: int, **more: bool) -> Board:
    board = Board(None, **more)
    for number in range(orders):
        order = BoardOrder(f"marketplace-{536000 + number}", "marketplace", PLACED, "GB", "", {"1": 2}, deque())
        board.orders[order.id] = order
        board.answered(order, {"status": "accepted"})
        board.close(order, "cancelled" if number % 10 == 0 else "delivered") if number % 4 == 0 else None
    board.tally.captured = board.tally.repeated = orders // 2
    board.tally.returns = orders // 3
    board.listed.update({"released": orders, "accepted": orders, "packed": orders, "booked": orders})
    for number in range(20):
        board.say(f"marketplace-{536000 + number}-F1: one unit short at store-manchester")
    return board


def drawn(what: RenderableType, width: int) -> list[str]:
    console = Console(width=width, height=50, force_terminal=True, record=True, file=StringIO())
    console.print(what)
    return console.export_text().splitlines()


class TestPanel:
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("orders", [0, 40, 3000])
    def test_every_number_stands_beside_its_label(self, width: int, orders: int) -> None:
        progress = Progress(Console(width=width), board_of(orders), Calls(), max(orders, 1))
        shown = drawn(progress.panel(), width)

        text = "\n".join(shown)
        numbers = progress.numbers()
        assert set(numbers) == {*LABELS, "orders/s"}
        for label in LABELS:
            assert f"{label} {numbers[label]}" in text
        assert re.search(r"orders/s \d+\.\d", text), "it changes from one look to the next"
        assert {len(line) for line in shown} == {width - 2}

    @pytest.mark.parametrize("width", WIDTHS)
    async def test_a_paced_replay_says_the_business_time_and_what_is_in_trouble(self, width: int) -> None:
        board, clock = board_of(3000, narrates=True), Clock(60.0)
        await clock.until(PLACED)
        progress = Progress(Console(width=width), board, Calls(), 3483, paced=clock)
        text = "\n".join(drawn(progress.panel(), width))

        assert "it is Wed 1 Dec 09:00" in text
        assert "Ctrl-C stops" in text
        for label in (*LABELS, "in trouble"):
            assert re.search(rf"{label} \d", text), label

    def test_an_order_is_in_trouble_until_it_ends(self) -> None:
        board = board_of(2)
        open_one = board.orders["marketplace-536001"]
        part = Fulfilment("x-F1", open_one.id, "dc", False, "", PLACED, PLACED, PLACED, PLACED, "", {}, "released")
        open_one.fulfilments["x-F1"] = part
        assert board.in_trouble() == 0
        part.short = True
        assert board.in_trouble() == 1
        board.close(open_one, "delivered")
        assert board.in_trouble() == 0


class TestLines:
    def test_without_a_terminal_numbers_are_lines_with_the_news(self) -> None:
        console = Console(record=True, width=80, force_terminal=False, file=StringIO())
        board = board_of(8)
        with Progress(console, board, Calls(), 8, paced=Clock(60.0), line_seconds=0.0) as progress:
            progress.update()
            board.say("web-1-F1: lost by swiftmail")
            progress.update()

        said = console.export_text().splitlines()
        assert said[0].startswith("[    0 s] sent 8/8, captured 8, in work 6, waiting 0, delivered 1, cancelled 1")
        assert said[-1] == "  web-1-F1: lost by swiftmail"
        assert sum("one unit short" in line for line in said) == 20, "each piece of news once"


class TestSummary:
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("details", [True, False])
    def test_it_ends_with_the_orders_and_shows_nothing_that_looks_like_a_failure(
        self, width: int, details: bool
    ) -> None:
        console = Console(record=True, width=width, file=StringIO())
        board = Board(None)
        order = BoardOrder("web-1", "web", PLACED, "GB", "", {"1": 2}, deque(), promised=PLACED + timedelta(days=3))
        board.orders[order.id] = order
        board.close(order, "delivered")
        sample = {"rows": {"total": 105_335, "rejected": 35_208}, "reasons": {"no_price": 197}}
        summary = summarise(board, Calls(), sample=sample, costs=[100], wall_seconds=2.0, trouble="")

        show_summary(console, summary, details=details)

        said = console.export_text()
        assert "35,208" not in said
        assert "data/README.md" in said
        assert said.index("The orders") < said.index("Every one of the 1 orders reached a final state.")
        assert ("Load by node" in said) == details
        assert summary.sample == sample, "a report for machines still has it"
