"""What people see: progress while it runs, and the summary."""

from __future__ import annotations

import asyncio
from time import monotonic

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulator.api import Calls
from simulator.board import Board, Phase
from simulator.clock import Clock
from simulator.money import money
from simulator.summary import Summary

SAMPLE_CURRENCY = "GBP"
"""What the sample's policy weighs in."""

LINE_SECONDS = 5.0
FRAMES_A_SECOND = 2
COLUMNS = 4
ROOM_FOR_INTERRUPT = 2
"""A terminal writes ^C behind the panel; on a line of its own it would leave a part of the panel standing."""
DEAREST_CALLS = 14
SOURCE = "The orders are a real retailer's; data/README.md says what of its ledger was left out, and why."


class Progress:
    """A live panel on a terminal; elsewhere a plain line every `line_seconds`.

    The panel of a `paced` replay shows the business time instead of a bar and a rate.
    """

    def __init__(
        self,
        console: Console,
        board: Board,
        calls: Calls,
        orders: int,
        *,
        paced: Clock | None = None,
        line_seconds: float = LINE_SECONDS,
    ) -> None:
        self._console = console
        self._calls = calls
        self._board = board
        self._orders = orders
        self._paced = paced
        self._line_seconds = line_seconds
        self._began = self._last_line = monotonic()
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    async def run(self) -> None:
        """Shows how things stand, again and again."""
        while True:
            self.update()
            await asyncio.sleep(1 / FRAMES_A_SECOND)

    def update(self) -> None:
        """Shows how things stand."""
        if self._live:
            self._live.update(self.panel(), refresh=True)
        elif monotonic() - self._last_line >= self._line_seconds:
            self._last_line = monotonic()
            self._console.print(self._line(), highlight=False, soft_wrap=True, markup=False)

    def numbers(self) -> dict[str, str]:
        """How many orders stand where, by label."""
        phases, tally = self._board.phases(), self._board.tally
        numbers = {
            "sent": f"{len(self._board.orders):,}/{self._orders:,}",
            "captured": f"{tally.captured + tally.repeated:,}",
            "in work": f"{phases[Phase.OPEN]:,}",
            "waiting": f"{phases[Phase.WAITING]:,}",
            "delivered": f"{self._board.ended_as('delivered'):,}",
            "cancelled": f"{self._board.ended_as('cancelled'):,}",
            "returns": f"{tally.returns:,}",
        }
        if self._paced:
            return numbers | {"in trouble": f"{self._board.in_trouble():,}"}
        seconds = max(monotonic() - self._began, 0.001)
        return numbers | {"orders/s": f"{phases[Phase.CLOSED] / seconds:.1f}"}

    def _line(self) -> str:
        numbers = ", ".join(f"{name} {number}" for name, number in self.numbers().items())
        when = f", it is {self._business_time()} in the replay" if self._paced else ""
        news = list(self._board.news) if self._paced else []
        self._board.news.clear()
        return "\n  ".join([f"[{monotonic() - self._began:5.0f} s] {numbers}{when}{self._failures()}", *news])

    def _failures(self) -> str:
        failures = ", ".join(f"{what} ({count} times)" for what, count in self._calls.errors.most_common(2))
        return f"; tried again after: {failures}" if failures else ""

    def panel(self) -> Panel:
        """The numbers with their labels, the work of the nodes, and what happened last."""
        rows: list[RenderableType] = [] if self._paced else [self._bar()]
        rows.append(_in_columns(self.numbers()))
        work = ", ".join(f"{status.replace('_', ' ')} {count}" for status, count in self._board.listed.most_common())
        rows.append(Text(f"fulfilments: {work or 'none open'}"))
        rows += [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._board.latest]
        title = f"real orders; it is {self._business_time()}" if self._paced else "real orders, at full speed"
        width = self._console.width - ROOM_FOR_INTERRUPT
        return Panel(Group(*rows), title=f"{title}; Ctrl-C stops", title_align="left", width=width)

    def _bar(self) -> Table:
        """In a row of its own: a bar does not end its line by itself."""
        row = Table.grid(expand=True)
        row.add_row(ProgressBar(total=self._orders, completed=self._board.phases()[Phase.CLOSED]))
        return row

    def _business_time(self) -> str:
        now = self._paced.now if self._paced else None
        return f"{now:%a} {now.day} {now:%b %H:%M}" if now else "about to begin"


def _in_columns(numbers: dict[str, str]) -> Table:
    """Each number beside its label, `COLUMNS` in a row: 80 columns have room for them."""
    grid = Table.grid(expand=True, padding=(0, 1))
    for _ in range(COLUMNS):
        grid.add_column(ratio=1, no_wrap=True)
    cells = [Text.assemble((name, "dim"), " ", (number, "bold")) for name, number in numbers.items()]
    for first in range(0, len(cells), COLUMNS):
        grid.add_row(*cells[first : first + COLUMNS])
    return grid


def show_summary(console: Console, summary: Summary, *, details: bool = True) -> None:
    """Prints what a run came to; with details also the load of each node and where the time went."""
    tables = [_calls_table(summary), _nodes_table(summary)] if details else []
    for table in [*tables, _orders_table(summary)]:
        console.print(table)
    console.print(SOURCE, highlight=False)
    if summary.trouble:
        console.print(f"The run was given up: {summary.trouble}", style="bold red", highlight=False, markup=False)
    if summary.open:
        console.print(f"{summary.open} orders reached no final state:", style="bold red")
        for order_id, how in summary.unfinished.items():
            console.print(f"  {order_id}: {how}", highlight=False, soft_wrap=True, markup=False)
    elif summary.all_final:
        console.print(f"Every one of the {summary.orders} orders reached a final state.", style="bold green")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(no_wrap=True)
    return table


def _orders_table(summary: Summary) -> Table:
    tally = summary.tally
    table = _table("The orders")
    channels = ", ".join(f"{channel} {count}" for channel, count in summary.by_channel.items())
    known = f", {summary.repeated} known from an earlier run" if summary.repeated else ""
    refused = f", {summary.refused} refused" if summary.refused else ""
    table.add_row("captured", f"{summary.captured}{known}{refused} ({channels})")
    table.add_row("delivered / cancelled / open", f"{summary.delivered} / {summary.cancelled} / {summary.open}")
    table.add_row("cancellations in time / too late", f"{tally['cancels']} / {tally['cancels_refused']}")
    table.add_row(
        "cancellation requests granted / refused", f"{tally['requests_granted']} / {tally['requests_refused']}"
    )
    table.add_row("held at the checkout / walked away", f"{tally['checkouts']} / {tally['abandoned']}")
    refunds = ", ".join(money(minor, currency) for currency, minor in tally["refunded"].items())
    table.add_row("returns, refunded", f"{tally['returns']}, {tally['refunds']}" + (f" ({refunds})" if refunds else ""))
    table.add_row("split over several nodes", percent(summary.split_rate))
    mean = summary.cost_per_order
    cost = "-" if mean is None else f"{money(mean, SAMPLE_CURRENCY)} (of {summary.cost_orders})"
    table.add_row("freight and handling an order", cost)
    table.add_row("days an order, median / p90", f"{number(summary.days_median)} / {number(summary.days_p90)}")
    table.add_row("promise kept", f"{percent(summary.promise_kept)} of {summary.promised}")
    stock = f"{summary.waited_for_stock} orders; {tally['discontinued']} had to drop lines for good"
    table.add_row("waited for stock", stock)
    table.add_row("goods received", f"{tally['receipts']} deliveries, {tally['supplied']} replenishments")
    wrong = f"{tally['rejects']} / {tally['short_picks']} / {tally['lost']} / {tally['sent_back']}"
    table.add_row("rejected / short picks / lost / sent back", wrong)
    table.add_row("wall time", f"{summary.wall_seconds:.1f} s, {summary.orders_per_second:.1f} orders/s to the end")
    accept = f"{number(summary.accept_p50_ms)} / {number(summary.accept_p95_ms)} ms"
    table.add_row("answer to an order, p50 / p95", accept)
    errors = ", ".join(f"{what} {count}" for what, count in summary.errors.items())
    again = f"{summary.retries} calls" + (f" ({errors})" if errors else "")
    table.add_row("tried again / sent again after silence", f"{again} / {tally['sent_again']}")
    for why, count in list(tally["refusals"].items())[:10]:
        table.add_row("refused", f"{count} x {why}")
    return table


def _nodes_table(summary: Summary) -> Table:
    table = Table(title="Load by node", title_justify="left", title_style="bold")
    table.add_column("node")
    for column in ("fulfilments", "units", "rejected"):
        table.add_column(column, justify="right")
    for node in summary.nodes:
        table.add_row(node.node_id, f"{node.fulfilments:,}", f"{node.units:,}", f"{node.rejected}")
    return table


def _calls_table(summary: Summary) -> Table:
    table = Table(title="Where the time went, as seen by the callers", title_justify="left", title_style="bold")
    table.add_column("call", no_wrap=True)
    for column in ("calls", "p50 ms", "p95 ms", "total s", "again"):
        table.add_column(column, justify="right")
    for call in summary.calls[:DEAREST_CALLS]:
        times = (f"{call.p50_ms:.0f}", f"{call.p95_ms:.0f}", f"{call.total_seconds:.1f}")
        table.add_row(
            call.name.replace("{id}", "*").replace("{carrier}", "*"), f"{call.calls:,}", *times, f"{call.retries}"
        )
    return table


def percent(share: float | None) -> str:
    """A share as people write it."""
    return "-" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    """One decimal, or a dash for nothing."""
    return "-" if value is None else f"{value:.1f}"
