"""What people ask, with values of orders that are there, so that each kind finds something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.search.made import NODES, SKUS, sku
from dom.orders.search_filter import OrderFilter
from dom.shared.access import UNLIMITED, Limits

_SAMPLES: Final = text("""
SELECT o.id, o.external_id, o.customer_id, o.document, s.tracking_number, r.id AS return_id, f.id AS fulfilment_id
FROM orders o LEFT JOIN fulfilments f ON f.order_id = o.id LEFT JOIN returns r ON r.order_id = o.id
LEFT JOIN shipment_fulfilments x ON x.fulfilment_id = f.id LEFT JOIN shipments s ON s.id = x.shipment_id
WHERE o.id = ANY(:ids) ORDER BY o.id
""")
_IDS: Final = text("SELECT id FROM orders TABLESAMPLE SYSTEM (:share) REPEATABLE (7) ORDER BY id LIMIT 5000")


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of search, with a filter for each time it is asked."""

    kind: str
    ask: Callable[[Random, RowMapping], dict[str, Any]]
    limits: Limits = UNLIMITED
    needs: str = "id"
    """The column without which an order makes no example."""
    deep: bool = False
    """The page after the first is asked for."""


@dataclass
class Samples:
    """Orders that are there."""

    rows: list[RowMapping] = field(default_factory=list)

    def filters(self, question: Question, times: int, seed: int = 5) -> list[OrderFilter]:
        """As many filters of this kind; the same seed gives the same."""
        random = Random(seed)
        fit = [row for row in self.rows if row[question.needs] is not None]
        return [OrderFilter.model_validate(question.ask(random, random.choice(fit))) for _ in range(times)]


async def samples(connection: AsyncConnection, share: float) -> Samples:
    """Some orders, at this percentage of all pages."""
    ids = [row.id for row in await connection.execute(_IDS, {"share": share})]
    return Samples(list((await connection.execute(_SAMPLES, {"ids": ids})).mappings()))


def _who(row: RowMapping) -> dict[str, str]:
    return dict(row["document"]["customer"])


def _where(row: RowMapping) -> dict[str, str]:
    return dict(row["document"]["ship_to"])


def _phone_at_home(row: RowMapping) -> str:
    phone = _who(row)["phone"] or "+447700900123"
    return f"0{phone[3:6]} {phone[6:]}"


def _nothing(*_: object) -> dict[str, Any]:
    return {}


QUESTIONS: Final = (
    Question("nothing: the newest", _nothing),
    Question("nothing: the page after", _nothing, deep=True),
    Question("q: whole mail", lambda _, row: {"q": _who(row)["email"]}),
    Question("q: mail of one domain in two", lambda *_: {"q": "@mail.example"}),
    Question("q: name", lambda _, row: {"q": _who(row)["name"]}),
    Question("q: name and town, without accents", lambda _, row: {"q": f"muller {_where(row)['city']}"}),
    Question("q: surname", lambda _, row: {"q": _who(row)["name"].split()[1]}),
    Question("q: phone as dialled at home", lambda _, row: {"q": _phone_at_home(row)}),
    Question("q: order number", lambda _, row: {"q": row["external_id"]}),
    Question("q: order id", lambda _, row: {"q": row["id"]}),
    Question("q: five digits of a number", lambda random, _: {"q": f"{random.randrange(10**5):05d}"}),
    Question("q: three digits of a number", lambda random, _: {"q": f"{random.randrange(10**3):03d}"}),
    Question("q: tracking number", lambda _, row: {"q": row["tracking_number"]}, needs="tracking_number"),
    Question("q: part of it", lambda _, row: {"q": row["tracking_number"][3:10]}, needs="tracking_number"),
    Question("q: fulfilment", lambda _, row: {"q": row["fulfilment_id"]}, needs="fulfilment_id"),
    Question("q: return", lambda _, row: {"q": row["return_id"]}, needs="return_id"),
    Question("q: part of a return's number", lambda _, row: {"q": row["return_id"][-6:]}, needs="return_id"),
    Question("q: SKU", lambda random, _: {"q": sku(random.randrange(SKUS))}),
    Question("q: postal code", lambda _, row: {"q": _where(row)["postal_code"]}),
    Question("q: two letters", lambda _, row: {"q": _who(row)["name"][:2]}),
    Question("q: nothing like it", lambda random, _: {"q": f"qqx{random.randrange(10**6)}zzv"}),
    Question("q: frequent, of a rare channel", lambda *_: {"q": "@mail.example", "channel": ["b2b"]}),
    Question("q: frequent, and it waits", lambda *_: {"q": "@mail.example", "waiting": True}),
    Question("customer", lambda _, row: {"customer": row["customer_id"]}),
    Question("tracking", lambda _, row: {"tracking": row["tracking_number"]}, needs="tracking_number"),
    Question("postal code", lambda _, row: {"postal_code": _where(row)["postal_code"]}),
    Question("postal code: its beginning", lambda _, row: {"postal_code": _where(row)["postal_code"][:2]}),
    Question("SKU: rare", lambda random, _: {"sku": sku(SKUS - 1 - random.randrange(1000))}),
    Question("SKU: the most sold", lambda *_: {"sku": sku(0)}),
    Question("tag: rare", lambda *_: {"tag": ["vip"]}),
    Question("status: frequent", lambda *_: {"status": ["delivered"]}),
    Question("status: rare", lambda *_: {"status": ["backordered", "accepted"]}),
    Question("channel: rare", lambda *_: {"channel": ["b2b"]}),
    Question("node: the largest", lambda *_: {"node": [NODES[0]]}),
    Question("node: the smallest", lambda *_: {"node": [NODES[-1]]}),
    Question("node: the smallest, of a rare channel", lambda *_: {"node": [NODES[-1]], "channel": ["b2b"]}),
    Question("late", lambda *_: {"late": True}),
    Question("late, the latest first", lambda *_: {"late": True, "sort": "promise"}),
    Question("late at a small node", lambda *_: {"late": True, "node": [NODES[-1]]}),
    Question("stuck", lambda *_: {"stuck": True}),
    Question("stuck of a rare channel", lambda *_: {"stuck": True, "channel": ["b2b"]}),
    Question("waiting", lambda *_: {"waiting": True}),
    Question("held", lambda *_: {"held": True}),
    Question("not waiting, not late, open", lambda *_: {"waiting": False, "late": False, "status": ["shipped"]}),
    Question("promised today", lambda *_: {"promise_from": "today", "promise_to": "today"}),
    Question(
        "promised today, by promise, open",
        lambda *_: {"promise_from": "today", "promise_to": "today", "sort": "promise", "status": ["shipped"]},
    ),
    Question(
        "placed on a day of last year",
        lambda random, _: dict.fromkeys(("placed_from", "placed_to"), f"today-{random.randint(30, 360)}"),
    ),
    Question("by day placed", lambda *_: {"sort": "placed", "placed_to": "today-100"}),
    Question("limits: one channel, q", lambda _, row: {"q": _who(row)["name"]}, Limits.of(channels=["b2b"])),
    Question("limits: one node", _nothing, Limits.of(nodes=[NODES[-1]])),
)
"""Every kind; the order of an example is drawn anew each time."""
