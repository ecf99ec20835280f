"""Says what to look at: orders that really stand in the states their cases were to bring them into."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from time import monotonic
from typing import Any

from rich.console import Console

from simulator.api import Api
from simulator.board import FINAL_ORDER, Board, BoardOrder
from simulator.cases import Case
from simulator.customers import GET_ORDER

TIMELINE = "GET /orders/{id}/timeline"
EXCEPTIONS = "GET /exceptions"
PATIENCE_SECONDS = 45.0
LOOK_SECONDS = 1.0

STORIES = {
    Case.WAITING: "waits for stock: the supplier recalled the goods",
    Case.IN_WORK: "is in work: a node has picked it",
    Case.REJECTED: "was rejected by its node and went elsewhere",
    Case.SHORT_PICK: "was picked short: one unit is sought elsewhere",
    Case.LOST: "lost its parcel: the units are sent again",
    Case.BROUGHT_BACK: "lost its parcel, which then came back to its sender",
}
PROOFS = {
    Case.REJECTED: "fulfilment_rejected",
    Case.LOST: "fulfilment_lost",
    Case.BROUGHT_BACK: "return_requested",
}
"""The kind of timeline event that shows that the case came about."""


@dataclass(slots=True)
class Guide:
    """Asks the API how the orders with a case stand, and prints where to look. `temporal_ui` may be empty; `keys` is
    the folder of the API keys, None where none are known.
    """

    api: Api
    board: Board
    console: Console
    api_url: str
    temporal_ui: str
    keys: Path | None = None

    async def lead(self, cases: int) -> None:
        """Waits until so many cases have come about, or not much longer, and prints them."""
        ready: dict[str, tuple[Case, dict[str, Any]]] = {}
        began = monotonic()
        while len(ready) < cases and monotonic() - began < PATIENCE_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            for order in list(self.board.orders.values()):
                if order.case and order.answered and order.id not in ready:
                    await self._look(order, order.case, ready)
        await self._print(ready)

    async def _look(self, order: BoardOrder, case: Case, ready: dict[str, tuple[Case, dict[str, Any]]]) -> None:
        found = await self.api.get(GET_ORDER, f"/orders/{order.id}")
        events = await self.api.get(TIMELINE, f"/orders/{order.id}/timeline")
        if found.ok and events.ok and has_come_about(case, found.body, events.body["events"]):
            ready[order.id] = (case, found.body)

    async def _print(self, ready: dict[str, tuple[Case, dict[str, Any]]]) -> None:
        if not ready:
            return
        in_sequence = sorted(ready.items(), key=lambda item: list(Case).index(item[1][0]))
        self._say("", "What to look at, while the replay goes on:")
        for order_id, (case, body) in in_sequence:
            self._say("", f"{order_id} {STORIES[case]}", f"  {_standing(body)}")
            self._link(f"  {self._address(order_id)}")
        example = in_sequence[0][0]
        self._say("")
        self._link(f"one order in full  {self._curl(f'/orders/{example}')}")
        self._link(f"on one screen      .venv/bin/dom order {example}")
        self._link(f"what waits         {self._curl('/orders?waiting=true')}")
        if (await self.api.get(EXCEPTIONS, "/exceptions", [("limit", "1")])).ok:
            self._link(f"exceptions         {self._curl('/exceptions')}")
        self._say("")

    def _say(self, *lines: str) -> None:
        """Prints lines, broken between words where the terminal is narrow."""
        for line in lines:
            self.console.print(line, highlight=False, markup=False)

    def _link(self, line: str) -> None:
        """Prints a line that has to stay whole, so that it can be clicked or copied."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _address(self, order_id: str) -> str:
        if self.temporal_ui:
            return f"{self.temporal_ui}/workflows/order-{order_id}"
        return self._curl(f"/orders/{order_id}")

    def _curl(self, path: str) -> str:
        """How to ask the API, which lets nobody in without a key: a browser sends none."""
        key = "" if self.keys is None else f' -H "X-API-Key: $(cat {quote(str(self.keys / "operator"))})"'
        return f"curl -s{key} '{self.api_url}/v1{path}'"


def has_come_about(case: Case, order: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    """Whether the order stands as its case says: it is not over, and its lines or its timeline show what happened."""
    if order["status"] in FINAL_ORDER:
        return False
    match case:
        case Case.WAITING:
            return any(line["backordered"] for line in order["lines"])
        case Case.IN_WORK:
            return any(fulfilment["status"] == "picked" for fulfilment in order["fulfilments"])
        case Case.SHORT_PICK:
            return any(event["data"].get("missing") for event in events)
    return any(event["kind"] == PROOFS[case] for event in events)


def _standing(order: dict[str, Any]) -> str:
    work = ", ".join(f"{f['node_id']} {f['status'].replace('_', ' ')}" for f in order["fulfilments"])
    open_exceptions = ", ".join(each["kind"].replace("_", " ") for each in order["exceptions"])
    told = [order["status"].replace("_", " "), work, open_exceptions and f"exceptions: {open_exceptions}"]
    return "; ".join(filter(None, told))
