"""The sample data, moved in time and renamed for a run."""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

MARGIN = timedelta(weeks=8)
"""How long before today the replayed time ends at the latest: room for transit, stock-outs and returns."""
WEEK = timedelta(weeks=1)
REPLAY_TAG = "replay"
"""What the system's documentation calls an order of the past; it is planned as of the time it was placed."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The customer takes units back; `invoice` is the retailer's own number of it."""

    at: datetime
    lines: dict[str, int]
    invoice: str


@dataclass(frozen=True, slots=True)
class SampleReceipt:
    """Goods arrive at a node."""

    at: datetime
    node_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SampleNode:
    """A place goods can be received at. `ships_to` names countries; empty means everywhere."""

    id: str
    kind: str
    country: str
    ships_to: frozenset[str]


def whole_weeks(last: datetime, now: datetime) -> timedelta:
    """How far to move the data so that its last moment lies just before now less `MARGIN`, on the same weekday."""
    return WEEK * ((now - MARGIN - last) // WEEK)


class Sample:
    """The files of a sample folder, each decompressed once; orders are parsed when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._orders = self._lines("orders.jsonl.xz")
        self._cancellations = [json.loads(line) for line in self._lines("cancellations.jsonl.xz")]
        self._receipts = [json.loads(line) for line in self._lines("receipts.jsonl.xz")]
        self.nodes = [_node(raw) for raw in json.loads((folder / "network.json").read_text())["nodes"]]
        self.report: dict[str, Any] = json.loads((folder / "report.json").read_text())

    def __len__(self) -> int:
        return len(self._orders)

    def first_order(self) -> dict[str, Any]:
        """The first order, as it stands in the file."""
        order: dict[str, Any] = json.loads(self._orders[0])
        return order

    def last_moment(self) -> datetime:
        """When the last order, cancellation or receipt of the whole sample happened."""
        last = [datetime.fromisoformat(json.loads(self._orders[-1])["placed_at"])]
        last += [datetime.fromisoformat(raw["cancelled_at"]) for raw in self._cancellations]
        last += [datetime.fromisoformat(raw["received_at"]) for raw in self._receipts]
        return max(last)

    def orders(self, count: int, shift: timedelta, tag: str) -> Iterator[dict[str, Any]]:
        """The first `count` orders in time order, moved by `shift`; `tag` ends their order numbers."""
        for line in self._orders[:count]:
            order: dict[str, Any] = json.loads(line)
            order["external_id"] += tag
            order["tags"] = [*order.get("tags", ()), REPLAY_TAG]
            for moment in ("placed_at", "requested_by"):
                if order.get(moment):
                    order[moment] = _moved(order[moment], shift).isoformat().replace("+00:00", "Z")
            yield order

    def cancellations(self, shift: timedelta, tag: str) -> dict[tuple[str, str], list[Cancellation]]:
        """Cancellations in time order by (channel, order number)."""
        found: dict[tuple[str, str], list[Cancellation]] = defaultdict(list)
        for raw in self._cancellations:
            units: dict[str, int] = defaultdict(int)
            for line in raw["lines"]:
                units[line["line_id"]] += line["quantity"]
            cancellation = Cancellation(_moved(raw["cancelled_at"], shift), dict(units), raw["source_invoice"])
            found[raw["channel"], raw["external_id"] + tag].append(cancellation)
        return dict(found)

    def receipts(self, shift: timedelta) -> list[SampleReceipt]:
        """Goods receipts in time order."""
        return [
            SampleReceipt(_moved(raw["received_at"], shift), raw["node_id"], raw["sku"], raw["quantity"])
            for raw in self._receipts
        ]

    def _lines(self, name: str) -> list[str]:
        return lzma.decompress((self._folder / name).read_bytes()).decode().splitlines()


def _moved(moment: str, shift: timedelta) -> datetime:
    return datetime.fromisoformat(moment) + shift


def _node(raw: dict[str, Any]) -> SampleNode:
    return SampleNode(raw["id"], raw["kind"], raw["address"]["country"], frozenset(raw["ships_to"]))
