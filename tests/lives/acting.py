"""Carries one act out through the API, as the person, node or carrier would whose act it is."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.lives.story import NODES, Act

NEXT: Final = {
    "released": "pick",
    "accepted": "pick",
    "picked": "pack",
    "booked": "hand-over",
    "ready_for_collection": "collect",
}
STEPS: Final = ("accept", "pick", "pack", "hand-over", "collect")
REASONS: Final = ("not_found", "damaged", "no_capacity", "closed", "other")
HOLDS: Final = ("manual", "address", "customer_request", "unplanned")
SAID: Final = ("delivered", "lost", "returned_to_sender", "refused", "intercepted", "intercept_failed", "in_transit")
DISPOSITIONS: Final = ("restock", "restock", "quarantine", "scrap")
ADDRESS: Final = {"name": "Ada", "lines": ["2 High Street"], "city": "Leeds", "postal_code": "LS1 5AA", "country": "GB"}
_LINES: Final = "SELECT * FROM order_lines WHERE order_id = :id ORDER BY position"
_WORK: Final = """
SELECT f.id, f.node_id, f.status, s.carrier, s.tracking_number,
       coalesce((SELECT jsonb_object_agg(l.line_id, l.quantity) FROM fulfilment_lines l
                 WHERE l.fulfilment_id = f.id AND l.quantity > 0), '{}') AS units
FROM fulfilments f LEFT JOIN LATERAL (
    SELECT s.carrier, s.tracking_number FROM shipments s JOIN shipment_fulfilments sf ON sf.shipment_id = s.id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY length(s.id) DESC, s.id DESC LIMIT 1) s ON true
WHERE f.order_id = :id
ORDER BY length(f.id), f.id
"""
RETURNS: Final = """
SELECT r.id, r.status, l.line_id, l.quantity, l.received - coalesce((SELECT sum(d.quantity) FROM return_dispositions d
    WHERE d.return_id = r.id AND d.line_id = l.line_id), 0) AS came
FROM returns r JOIN return_lines l ON l.return_id = r.id
WHERE r.order_id = :id AND r.status IN ('requested', 'received', 'part_refunded', 'part_put_away')
ORDER BY r.id, l.line_id
"""
"""Lines of open returns; `came`: units that arrived and were not inspected."""
Row = Mapping[str, Any]


@dataclass
class Actor:
    """Acts of all parties of one order. `skus` are its own, by the letters of its story; `added` units came in by
    adjustments and counts, by SKU.
    """

    http: httpx.AsyncClient
    engine: AsyncEngine
    order_id: str
    skus: Mapping[str, str]
    time_passes: Callable[[int], Coroutine[Any, Any, None]]
    settle: Callable[[], Coroutine[Any, Any, None]]
    added: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """Acts that were not refused, by what they were."""

    async def do(self, act: Act) -> None:
        """Carry the act out; one that is about nothing there is does nothing. AssertionError for an answer of 5xx."""
        await getattr(self, f"_{act.do}")(act)

    async def rows(self, query: str) -> list[Row]:
        """What the store says of the order."""
        async with self.engine.connect() as connection:
            found = await connection.execute(text(query), {"id": self.order_id})
            return [dict(row) for row in found.mappings()]

    async def work(self, *statuses: str) -> list[Row]:
        """Fulfilments of the order with their last booking that stands, of the statuses or all."""
        return [row for row in await self.rows(_WORK) if not statuses or row["status"] in statuses]

    async def post(self, path: str, body: object = None) -> httpx.Response:
        """Ask the API. It answers, or refuses; it never fails."""
        headers = {"Idempotency-Key": uuid4().hex}
        answer = await self.http.post(f"/v1/{path}", json={} if body is None else body, headers=headers)
        assert answer.status_code < 500, f"POST {path} {body}: {answer.status_code} {answer.text}"
        if answer.is_success:
            kind = path.split("/", maxsplit=1)[0] + ":" + path.rsplit("/", maxsplit=1)[-1]
            self.taken[kind] = self.taken.get(kind, 0) + 1
        return answer

    # --- the node ----------------------------------------------------------------------------------------------------

    async def _advance(self, act: Act) -> None:
        if work := _one(await self.work(*NEXT), act.which):
            await self.step(work["id"], NEXT[work["status"]])

    async def _everybody(self, act: Act) -> None:
        """Every node and carrier does what is next, and what follows by itself has time to."""
        for work in await self.work():
            if work["status"] in NEXT:
                await self.step(work["id"], NEXT[work["status"]])
            elif work["status"] == "handed_over" and act.how > 2:
                await self.scan(work, SAID[act.how - 8 if act.how > 8 else 0])
        await self.settle()

    async def _step(self, act: Act) -> None:
        if work := _one(await self.work(), act.which):
            await self.step(work["id"], STEPS[act.how % len(STEPS)])

    async def _pick_short(self, act: Act) -> None:
        if work := _one(await self.work("released", "accepted"), act.which):
            found = {line: max(units - (act.much if n == act.how % 2 else 0), 0)
                     for n, (line, units) in enumerate(work["units"].items())}  # fmt: skip
            why = {"reason_code": "damaged"} if act.how > 8 else {}
            await self.step(work["id"], "pick", lines=_units(found), **why)

    async def _reject(self, act: Act) -> None:
        if work := _one(await self.work("released", "accepted", "picked"), act.which):
            await self.step(work["id"], "reject", reason_code=REASONS[act.how % len(REASONS)])

    async def step(self, work: str, step: str, **body: Any) -> httpx.Response:
        """The node reports a step; the customer says his code."""
        if step == "collect":
            codes = await self.rows("""SELECT code, fulfilment_id FROM collections c
                                       JOIN fulfilments f ON f.id = c.fulfilment_id WHERE f.order_id = :id""")
            body["code"] = next((each["code"] for each in codes if each["fulfilment_id"] == work), None)
        return await self.post(f"fulfilments/{work}/{step}", body)

    async def _answer_cancellation(self, act: Act) -> None:
        query = "SELECT id FROM cancellation_requests WHERE order_id = :id ORDER BY status = 'asked' DESC, id"
        if asked := _one(await self.rows(query), act.which):
            await self.post(f"cancellation-requests/{asked['id']}/{'refuse' if act.how % 3 == 0 else 'grant'}")

    # --- the carrier -------------------------------------------------------------------------------------------------

    async def _scan(self, act: Act) -> None:
        if work := _one([w for w in await self.work() if w["tracking_number"]], act.which):
            await self.scan(work, SAID[act.how % len(SAID)])

    async def scan(self, work: Row, kind: str) -> None:
        """The carrier of the work's parcel says something of it."""
        event = {
            "event_id": uuid4().hex,
            "tracking_number": work["tracking_number"],
            "kind": kind,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        await self.post(f"carriers/{work['carrier']}/events", {"events": [event]})

    # --- customer and staff ------------------------------------------------------------------------------------------

    async def _cancel(self, act: Act) -> None:
        body: dict[str, Any] = {"mode": ("all", "possible", "ask")[act.how % 3], "reason": "he thought again"}
        if (line := _one(await self.rows(_LINES), act.which)) and act.how < 9:
            body["lines"] = [{"line_id": line["line_id"]} | ({"quantity": act.much} if act.much else {})]
        await self.post(f"orders/{self.order_id}/cancel", body)

    async def _edit(self, act: Act) -> None:
        """Preview an edit, and apply it on the revision of the preview: the money is what was previewed."""
        lines = await self.rows(_LINES)
        order = (await self.rows("SELECT revision FROM orders WHERE id = :id"))[0]
        change = self._change(act, _one(lines, act.which) or lines[0], len(lines) + 1)
        body = {"revision": order["revision"], "changes": [change], "reason": "the customer called"}
        preview = await self.post(f"orders/{self.order_id}/changes?preview=true", body)
        if preview.is_success:
            await self.post(f"orders/{self.order_id}/changes", body)

    def _change(self, act: Act, line: Row, number: int) -> dict[str, Any]:
        sku = self.skus["ABC"[act.which % 3]]
        of_line = {"line_id": line["line_id"]}
        return (
            {"change": "set_quantity", **of_line, "quantity": act.much + 1},
            {"change": "set_quantity", **of_line, "quantity": max(act.much, 1)},
            {"change": "add_line", "line_id": f"N{number}", "sku": sku, "quantity": act.much + 1, "unit_price": 70},
            {"change": "remove_line", **of_line},
            {"change": "swap_sku", **of_line, "new_line_id": f"N{number}", "sku": sku},
            {"change": "set_ship_to", "ship_to": ADDRESS},
            {"change": "set_shipping_method", "shipping_method": "standard"},
            {"change": "set_tags", "tags": ["gift"]},
        )[act.how % 8]

    async def _hold(self, act: Act) -> None:
        await self.post(f"orders/{self.order_id}/holds", {"type": HOLDS[act.how % len(HOLDS)], "reason": "a look"})

    async def _release(self, act: Act) -> None:
        if hold := _one(
            await self.rows("SELECT * FROM order_holds WHERE order_id = :id AND released_at IS NULL"), act.which
        ):
            await self.post(f"orders/{self.order_id}/holds/{hold['id']}/release", {"reason": "looked at"})

    async def _move(self, act: Act) -> None:
        if work := _one(await self.work("released"), act.which):
            to = {"node_id": NODES[act.how % 2]} if act.how > 5 else {}
            await self.post(f"fulfilments/{work['id']}/move", {"reason": "nearer", **to})

    async def _source_again(self, act: Act) -> None:
        if work := _one(await self.work("released"), act.which):
            asked = {"reason": "a look", "without_node": act.how % 2 == 0}
            await self.post(f"fulfilments/{work['id']}/source-again", asked)

    async def _split(self, act: Act) -> None:
        if work := _one(await self.work("released", "accepted"), act.which):
            line = sorted(work["units"])[act.how % len(work["units"])]
            part = [{"line_id": line, "quantity": act.much + 1}]
            await self.post(f"fulfilments/{work['id']}/split", {"reason": "one is needed sooner", "lines": part})

    async def _merge(self, act: Act) -> None:
        works = await self.work("released", "accepted")
        if len(works) > 1:
            first, other = works[act.which % len(works)], works[(act.which + 1) % len(works)]
            await self.post(f"fulfilments/{first['id']}/merge", {"merged": other["id"], "reason": "one van"})

    async def _prioritise(self, act: Act) -> None:
        await self.post(f"orders/{self.order_id}/prioritise", {"priority": act.much * 10, "reason": "a gift"})

    async def _keep(self, act: Act) -> None:
        if work := _one(await self.work("ready_for_collection"), act.which):
            until = (datetime.now(UTC) + timedelta(days=8 + act.much)).isoformat()
            await self.post(f"fulfilments/{work['id']}/keep", {"until": until, "reason": "he is away"})

    async def _put_back(self, act: Act) -> None:
        if work := _one(await self.work("cancelled", "ready_for_collection"), act.which):
            await self.post(f"fulfilments/{work['id']}/put-back")

    async def _staff_says(self, act: Act) -> None:
        if work := _one(await self.work("booked", "handed_over"), act.which):
            await self.post(f"fulfilments/{work['id']}/{('lost', 'delivered')[act.how % 2]}", {"reason": "he called"})

    async def _reship(self, act: Act) -> None:
        if work := _one(await self.work("returned_to_sender"), act.which):
            await self.post(f"fulfilments/{work['id']}/reship", {"reason": "the door was shut"})

    async def _arrived(self, act: Act) -> None:
        if work := _one(await self.work("lost"), act.which):
            await self.post(f"fulfilments/{work['id']}/arrived", {"reason": "it came"})

    async def _note(self, _: Act) -> None:
        await self.post(f"orders/{self.order_id}/notes", {"text": "he called"})

    # --- returns -----------------------------------------------------------------------------------------------------

    async def _return(self, act: Act) -> None:
        if work := _one(await self.work("delivered", "collected"), act.which):
            line, units = sorted(work["units"].items())[act.how % len(work["units"])]
            lines = _units({line: min(units, act.much + 1)})
            await self.post("returns", {"order_id": self.order_id, "lines": lines, "reason": "too small"})

    async def _goes_on_with_return(self, act: Act) -> None:
        if back := _one(await self.rows(RETURNS), act.which):
            await self.go_on_with(back, DISPOSITIONS[act.how % len(DISPOSITIONS)])

    async def go_on_with(self, back: Row, disposition: str) -> None:
        """The node receives what is on its way, or inspects what came."""
        if back["status"] == "requested":
            await self.post(f"returns/{back['id']}/receive")
            return
        found = {"line_id": back["line_id"], "quantity": back["came"] or 1, "disposition": disposition}
        await self.post(f"returns/{back['id']}/inspect", {"lines": [found]})

    # --- stock and time ----------------------------------------------------------------------------------------------

    async def _goods(self, act: Act) -> None:
        await self._adjust(act, act.much + 1, "receipt")

    async def _count(self, act: Act) -> None:
        await self._adjust(act, -act.much - 1, "loss")

    async def _adjust(self, act: Act, units: int, why: str) -> None:
        sku = self.skus["ABC"[act.which % 3]]
        item = {
            "node_id": NODES[act.how % len(NODES)],
            "sku": sku,
            "quantity": units,
            "reason": why,
            "reason_code": why,
            "idempotency_key": uuid4().hex,
        }
        answer = await self.post("inventory/adjustments", {"adjustments": [item]})
        if answer.is_success and answer.json()["results"][0]["status"] == "applied":
            self.added[sku] = self.added.get(sku, 0) + units

    async def _time(self, act: Act) -> None:
        await self.time_passes((1, 24, 240)[act.how % 3])

    async def _settle(self, _: Act) -> None:
        await self.settle()


def _one(rows: Sequence[Row], which: int) -> Row | None:
    return rows[which % len(rows)] if rows else None


def _units(units: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"line_id": line, "quantity": n} for line, n in units.items()]
