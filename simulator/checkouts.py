"""Shoppers at the checkout: some hold what they are about to buy, and some of those walk away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator import chance
from simulator.api import Api
from simulator.board import Board

HOLD = "POST /reservations"
CHECKOUT_CHANNELS = frozenset({"web", "social"})
SHARE = 0.15
"""Share of the orders of these channels that are held at the checkout before they are placed."""
ABANDONED = 0.1
"""Share of the checkouts that hold a second basket, which nobody ever buys."""
KEPT_SECONDS = 600
ABANDONED_SECONDS = 10
MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Checkouts:
    """The checkouts of all channels. What is held again under the same key is the same reservation."""

    api: Api
    board: Board

    async def pass_through(self, request: dict[str, Any]) -> dict[str, Any]:
        """The order as it is placed: with the reservation its units were held by, if they were."""
        name = f"{request['channel']}-{request['external_id']}"
        if not _holds(request, name):
            return request
        if chance.happens(ABANDONED, "abandons", name):
            await self._hold(request, f"{name}-abandoned", ABANDONED_SECONDS)
            self.board.tally.abandoned += 1
        held = await self._hold(request, name, KEPT_SECONDS)
        if held is None:
            return request
        self.board.tally.checkouts += 1
        return request | {"reservation_id": held}

    async def _hold(self, request: dict[str, Any], owner: str, seconds: int) -> str | None:
        """The reservation's id; None if there is not enough of something, and the shopper orders all the same."""
        ship_to = {name: request["ship_to"][name] for name in ("country", "postal_code")}
        basket = {
            "channel": request["channel"],
            "owner": owner,
            "reason": "checkout",
            "seconds": seconds,
            "shipping_method": request["shipping_method"],
            "ship_to": ship_to,
            "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in request["lines"]],
        }
        answer = await self.api.post(HOLD, "/reservations", basket, key=f"checkout-{owner}")
        if answer.ok:
            return str(answer.body["reservation_id"])
        if not answer.conflict:
            self.board.tally.refusals[f"{HOLD}: {answer.problem}"] += 1
        return None


def _holds(request: dict[str, Any], name: str) -> bool:
    return (
        request["channel"] in CHECKOUT_CHANNELS
        and "pickup_node" not in request
        and len(request["lines"]) <= MOST_LINES
        and chance.happens(SHARE, "holds", name)
    )
