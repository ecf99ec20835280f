"""What a client of the storm was told: it goes on from there when it starts again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from store.stock import Reserved
from tests.worlds.shelf import units_of

Call = dict[str, Any]


@dataclass
class Told:
    """What a client knows of its own doing: rebuilt of its log when it starts again."""

    calls: int = 0
    number: int = 0
    holds: dict[str, list[list[Any]]] = field(default_factory=dict)
    firm: dict[str, list[list[Any]]] = field(default_factory=dict)
    """By fulfilment: line, node, SKU, quantity."""
    sent: dict[str, list[Any]] = field(default_factory=dict)
    taken_counts: list[Call] = field(default_factory=list)

    def hear(self, call: Call, answer: Any) -> None:
        """The answer to a call."""
        self.number = call["n"]
        self.calls += len(call.get("requests", ())) or 1
        self.holds.pop(call.get("hold", "") if call["do"] != "extend" else "", None)
        heard = getattr(self, f"_{call['do']}", None)
        if heard is not None:
            heard(call, answer)

    def _soft(self, call: Call, verdicts: list[str]) -> None:
        for request, verdict in zip(call["requests"], verdicts, strict=True):
            if verdict in {"taken", "repeated"}:
                self.holds[request["id"]] = request["units"]

    def _firm(self, call: Call, answer: str) -> None:
        for unit in reserved_by(call) if answer == "reserved" else ():
            one = [unit.line_id, unit.node_id, unit.sku, unit.quantity]
            self.firm.setdefault(unit.fulfilment_id, []).append(one)

    _convert = _firm

    def _ship(self, call: Call, _: str) -> None:
        self.firm.pop(call["fulfilment"])

    _cancel = _ship

    def _less(self, call: Call, _: str) -> None:
        self.firm[call["fulfilment"]][0][3] -= 1

    def _send(self, call: Call, answer: str) -> None:
        if answer == "sent":
            self.sent[call["key"]] = call["units"]

    def _receive(self, call: Call, _: str) -> None:
        self.sent.pop(call["transfer"])

    def _look(self, call: Call, answer: list[Any]) -> None:
        self.taken_counts.append(call | {"quantity": answer[0], "at": answer[1]})

    def _count(self, call: Call, _: list[str]) -> None:
        self.taken_counts = [one for one in self.taken_counts if one["key"] != call["look"]["key"]]


def reserved_by(call: Call) -> list[Reserved]:
    """The units an order of a call takes."""
    return units_of(f"web-{call['key']}", {(node, sku): quantity for node, sku, quantity in call["units"]})
