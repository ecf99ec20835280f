"""One world for many orders: a worker, the API over it, and what the store shows of one order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from activities.wiring import wired
from api.app import create_app
from connectors.carriers.port import Booking, BookingRequest
from dom.channels.channel import Channel
from dom.delivery.tariffs import Tariff, TariffService
from dom.network import ShippingMethod
from dom.shared import ids
from services.database import Database
from settings import Settings
from store import channels, stock
from store.enums import LedgerKind
from store.network import reference
from tests.worlds import small
from tests.worlds.access import HEADERS
from tests.worlds.outside import RecordingCarrier
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON, lane, sku, tariff

_LEDGER = text("""
SELECT s.node_id, s.sku, s.on_hand, s.reserved, s.quarantine,
       (SELECT coalesce(sum(on_hand_delta), 0) FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku)
           AS moved,
       (SELECT coalesce(sum(reserved_delta), 0) FROM stock_ledger l WHERE l.node_id = s.node_id AND l.sku = s.sku)
           AS taken,
       (SELECT coalesce(sum(quantity), 0) FROM reservations r WHERE r.node_id = s.node_id AND r.sku = s.sku
        AND r.status = 'active' AND r.kind = 'firm') AS held
FROM stock s WHERE s.sku = ANY(:skus)
""")
_WORK = text("""
SELECT f.id, f.node_id, f.carrier, f.status,
       coalesce(jsonb_object_agg(l.line_id, l.quantity) FILTER (WHERE l.quantity > 0), '{}') AS units
FROM fulfilments f LEFT JOIN fulfilment_lines l ON l.fulfilment_id = f.id WHERE f.order_id = :id
GROUP BY f.id ORDER BY length(f.id), f.id
""")
_ORDER = text("""
SELECT o.status,
       (SELECT jsonb_object_agg(line_id, jsonb_build_array(backordered, cancelled)) FROM order_lines
        WHERE order_id = o.id) AS lines,
       EXISTS (SELECT FROM order_lines WHERE order_id = o.id AND backordered > 0)
           AND (SELECT max(id) FROM timeline WHERE order_id = o.id AND kind IN ('accepted', 'sourced'))
           < (SELECT max(id) FROM timeline WHERE order_id = o.id
              AND (kind IN ('fulfilment_lost', 'fulfilment_rejected') OR data ? 'missing')) AS unsourced,
       (SELECT coalesce(jsonb_object_agg(s.id, jsonb_build_array(s.carrier, s.status, s.tracking_number)), '{}')
        FROM shipments s JOIN shipment_fulfilments sf ON sf.shipment_id = s.id
        JOIN fulfilments f ON f.id = sf.fulfilment_id WHERE f.order_id = o.id) AS parcels,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, data, status)), '[]') FROM exceptions e
        WHERE e.order_id = o.id) AS exceptions,
       (SELECT count(*) FROM timeline t WHERE t.order_id = o.id AND t.kind = 'report_out_of_turn') AS traces,
       (SELECT coalesce(jsonb_object_agg(kind, number), '{}') FROM (
            SELECT kind, count(*) AS number FROM outbox
            WHERE order_id = o.id AND message_key IS NOT NULL GROUP BY kind) m) AS told,
       (SELECT count(*) FROM carrier_events e JOIN shipments s USING (carrier, tracking_number)
        JOIN shipment_fulfilments sf ON sf.shipment_id = s.id JOIN fulfilments f ON f.id = sf.fulfilment_id
        WHERE f.order_id = o.id) AS events,
       (SELECT coalesce(jsonb_object_agg(r.id, jsonb_build_array(r.status, r.node_id, (
            SELECT jsonb_object_agg(l.line_id, l.quantity) FROM return_lines l WHERE l.return_id = r.id))), '{}')
        FROM returns r WHERE r.order_id = o.id) AS returns
FROM orders o WHERE o.id = :id
""")
HEEDED_SECONDS = 60
_UNTOLD = ("order_confirmed", "order_backordered")
_TROUBLES = ("parcel_lost", "parcel_returned_to_sender")


@dataclass(frozen=True)
class About:
    """What the model does not decide: which carrier takes each fulfilment, and the numbers of the parcels."""

    carriers: Mapping[str, str | None]
    numbers: Mapping[str, str]


@dataclass(frozen=True)
class World:
    """The running system."""

    client: Client
    engine: AsyncEngine
    http: httpx.AsyncClient

    async def stock_up(self, units: Mapping[tuple[str, str], int]) -> None:
        """SKUs of its own with so many units by (node, SKU)."""
        async with self.engine.begin() as connection:
            await small.open_channel(connection)
            await reference.put_skus(connection, [sku(code) for code in sorted({code for _, code in units})])
            for (node_id, code), quantity in units.items():
                opening = stock.Movement(node_id, code, quantity, LedgerKind.OPENING, "opening", "opening")
                await stock.move(connection, opening, actor="fuzz", at=MONDAY_NOON)

    def document(
        self, number: str, skus: Mapping[str, str], units: Mapping[str, int], *, pickup: bool, complete: bool
    ) -> dict[str, Any]:
        """An order of these lines."""
        lines = [
            {"line_id": line, "sku": code, "quantity": units[line], "unit_price": 100} for line, code in skus.items()
        ]
        collected = {"shipping_method": "pickup", "pickup_node": "st-york"} if pickup else {}
        document = small.order(number).model_dump(mode="json")
        return document | {"lines": lines, "ship_complete": complete} | collected

    async def place(
        self, number: str, skus: Mapping[str, str], units: Mapping[str, int], *, pickup: bool, complete: bool
    ) -> str:
        """Hand an order over; answers its id."""
        document = self.document(number, skus, units, pickup=pickup, complete=complete)
        answer = await self.http.post("/v1/orders", json=document)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    async def heeded(self, order_id: str) -> None:
        """Whatever the order's process was told before, it has worked off: no workflow task of it waits or runs.

        It is not asked by a query: one that comes while a step is written may leave a history that the SDK cannot read
        again (docs/runbook.md, "A process that cannot go on").
        """
        process = self.client.get_workflow_handle(ids.order_workflow_id(order_id))
        async with asyncio.timeout(HEEDED_SECONDS):
            while (await process.describe()).raw_description.HasField("pending_workflow_task"):
                await asyncio.sleep(0.02)

    async def keep_history(self, workflow_id: str, file: Path) -> None:
        """Write the workflow's history down, to be replayed."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(RPCError):
            history = await self.client.get_workflow_handle(workflow_id).fetch_history()
            await asyncio.to_thread(file.write_text, history.to_json(), encoding="utf-8")

    async def terminate(self, workflow_id: str) -> None:
        """Nobody waits for it any more."""
        with suppress(RPCError):
            await self.client.get_workflow_handle(workflow_id).terminate()

    async def shown(self, order_id: str, skus: Sequence[str]) -> tuple[dict[str, Any], About]:
        """The order as the store shows it, in the words of the model. AssertionError if the books do not agree."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(_ORDER, {"id": order_id})).one()
            work = (await connection.execute(_WORK, {"id": order_id})).all()
            books = (await connection.execute(_LEDGER, {"skus": skus})).all()
        for each in books:
            assert each.on_hand == each.moved, f"on hand and ledger differ at {each.node_id}"
            assert each.reserved == each.taken == each.held, f"reserved differs at {each.node_id}"
        strays = [_stray(data) for kind, data, _ in row.exceptions if kind == "report_out_of_turn"]
        troubles = [(kind, data["fulfilment_id"]) for kind, data, _ in row.exceptions if kind in _TROUBLES]
        return {
            "sourced": not row.unsourced,
            "order": (row.status, {line: tuple(numbers) for line, numbers in row.lines.items()}),
            "work": {each.id: (each.node_id, each.status, each.units) for each in work},
            "parcels": {id_: (carrier, status) for id_, (carrier, status, _) in row.parcels.items()},
            "stock": {(each.node_id, each.sku): (each.on_hand, each.reserved, each.quarantine) for each in books},
            "strays": sorted(strays, key=str),
            "traces": row.traces,
            "troubles": sorted(troubles),
            "backorder": any(kind == "backorder" and status == "open" for kind, _, status in row.exceptions),
            "told": {kind: number for kind, number in row.told.items() if kind not in _UNTOLD},
            "events": row.events,
            "returns": {id_: tuple(each) for id_, each in row.returns.items()},
        }, About({each.id: each.carrier for each in work}, {id_: number for id_, (_, _, number) in row.parcels.items()})


def _stray(data: Mapping[str, Any]) -> tuple[str, str | None, str, str, tuple[tuple[str, int], ...]]:
    said = data["report"]
    if "shipment_id" in data and said not in {"delivered", "lost", "returned_to_sender"}:
        said = "seen"
    units = tuple(sorted(data["units"].items()))
    return data["fulfilment_id"], data.get("shipment_id"), said, data["on_hand"], units


class Numbering(RecordingCarrier):
    """A carrier that counts the parcels of each order from 1: another carrier has the same numbers."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._numbers: dict[str, str] = {}
        self._counted: Counter[str] = Counter()

    async def book(self, request: BookingRequest) -> Booking:
        """The same key gives the same booking."""
        booking = await super().book(request)
        key = request.booking_key
        if key not in self._numbers:
            order_id = ids.order_of(key.rpartition("-B")[0])
            self._counted[order_id] += 1
            self._numbers[key] = f"{order_id}/{self._counted[order_id]}"
        return booking.model_copy(update={"tracking_number": self._numbers[key]})


@dataclass
class TwoCarriers(House):
    """A house with two carriers: one is cheap for one or two units, the other for more."""

    others: tuple[Numbering, ...] = field(default_factory=lambda: (Numbering("northline"), Numbering("southline")))

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """All activities, wired to this house."""
        return wired(
            Database(engine=self.engine, replaying=True),
            carriers={each.name: each for each in self.others},
            senders=self.senders,
        )


def _southline() -> Tariff:
    home = lane(("GB",), ("GB",), ((1_000, 400), (5_000, 450), (10_000, 700), (20_000, 1_400)), 2)
    service = TariffService(method=ShippingMethod.STANDARD, max_parcel_grams=20_000, lanes=(home,))
    return Tariff(carrier="southline", name="Southline", currency="GBP", divisor=5000, services=(service,))


@asynccontextmanager
async def running(client: Client, engine: AsyncEngine, *, allocates: bool = False) -> AsyncIterator[World]:
    """A worker and the API while the block runs. `allocates`: what comes in is dealt out to the orders that wait."""
    async with engine.begin() as connection:
        await channels.put(connection, Channel(id="web", name="web"))
        await reference.put_tariffs(connection, [tariff(), _southline()])
    async with TwoCarriers(client, engine, allocates=allocates).working() as house:
        app = create_app(Settings(task_queue=house.task_queue), engine, client)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                base_url="http://api",
                timeout=30,
                headers=HEADERS,
            ) as http,
        ):
            yield World(client, engine, http)
            await asyncio.sleep(0.1)
