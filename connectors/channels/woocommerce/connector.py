"""WooCommerce: webhooks as hints, orders and write-back by the REST API v3.

Webhooks are signed with HMAC-SHA256 of the raw body, base64, in `X-WC-Webhook-Signature`. They are not sent again, and
are switched off after five failures, so orders are asked for besides. A webhook that is saved sends `webhook_id=N`.
`POST refunds` moves money unless `api_refund` is false.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

import httpx
from pydantic import Field

from connectors.channels.bodies import as_body, document, is_hmac
from connectors.channels.budget import RequestBudget
from connectors.channels.generic import number_in
from connectors.channels.platform_http import PlatformHttp
from connectors.channels.port import (
    Ability,
    ChannelConnector,
    FeedSpan,
    ListedOrder,
    OrderPage,
    StockLevel,
    StockPage,
)
from connectors.channels.woocommerce import orders
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity, content_id
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.base import Value
from dom.shared.money import decimals
from dom.shared.texts import keepable
from dom.shared.urls import HttpUrl

_PATH: Final = "/wp-json/wc/v3"
_PAGE: Final = 50
_PRODUCTS: Final = 100
_TICK: Final = timedelta(seconds=1)


class WooCommerceSettings(Value):
    """What the connector needs to know of a shop."""

    url: HttpUrl = Field(description="The shop's address, as https://shop.example.")
    consumer_key: Annotated[str, Field(min_length=1, max_length=100)] = Field(description="Of the REST API: ck_...")
    pays_refunds: bool = Field(default=False, description="Whether a refund there moves money, or is only recorded.")
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = Field(default=5, description="Asked of it at most.")


class WooCommerceConnector(ChannelConnector):
    """A WooCommerce shop."""

    platform: ClassVar[Platform] = Platform.WOOCOMMERCE
    settings_model: ClassVar[type[Value]] = WooCommerceSettings
    needs: ClassVar[tuple[str, ...]] = ("consumer_secret",)
    signs: ClassVar[str | None] = "webhook_secret"
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    tells: frozenset[StepKind] = frozenset(StepKind)

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises ValidationError for settings that no shop can have."""
        super().__init__(connection, secrets, transport=transport)
        told = self._settings = WooCommerceSettings.model_validate(connection.settings)
        rate = float(told.requests_per_second)
        auth = httpx.BasicAuth(told.consumer_key, secrets["consumer_secret"])
        self._http = PlatformHttp(told.url, {}, RequestBudget(rate, rate), transport=transport, auth=auth)

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By the id of the delivery; the order's own id is asked for."""
        delivery = keepable(headers.get("x-wc-webhook-delivery-id", ""))[:200]
        return MessageIdentity(
            delivery_id=delivery or content_id(body),
            topic=keepable(headers.get("x-wc-webhook-topic", ""))[:200],
            order_number=number_in(body, mapping),
            reference=_reference(body),
            is_hint=bool(delivery),
        )

    @classmethod
    def is_signed(cls, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the header holds the HMAC-SHA256 of the body under the webhook's secret."""
        return is_hmac(headers.get("x-wc-webhook-signature", ""), secret, body)

    @classmethod
    def is_ping(cls, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a webhook was only saved; that is not signed."""
        del headers
        return body.startswith(b"webhook_id=") and body.removeprefix(b"webhook_id=").isdigit()

    async def order(self, reference: str) -> bytes | None:
        """The order by its id, or None."""
        if not reference.isdecimal():
            return None
        answer = await self._http.ask("GET", f"{_PATH}/orders/{int(reference)}")
        return None if answer.status_code in {404, 410} else await self._as_body(answer.json())

    async def orders(self, span: FeedSpan, after: str | None) -> OrderPage:
        """A page of orders by the time of their last change, or of their making.

        Pages go on from the last time that was seen, without the orders that were seen of it: counting pages would pass
        over orders while others move. Times are whole seconds, and `after` is exclusive, hence the tick.
        """
        by, field = ("date", "date_created_gmt") if span.placed else ("modified", "date_modified_gmt")
        known: dict[str, Any] = json.loads(after) if after else {"at": span.since.isoformat(), "ids": []}
        since = datetime.fromisoformat(known["at"]) - _TICK
        params: dict[str, Any] = {
            "after" if span.placed else "modified_after": _moment(since),
            "dates_are_gmt": "true",
            "orderby": by,
            "order": "asc",
            "per_page": _PAGE,
            "status": "any",
        }
        if span.until is not None:
            params["before" if span.placed else "modified_before"] = _moment(span.until)
        if known["ids"]:
            params["exclude"] = ",".join(map(str, known["ids"]))
        found = (await self._http.ask("GET", f"{_PATH}/orders", params=params)).json()
        last = max((_time(each[field]) for each in found), default=None)
        ids = [each["id"] for each in found if _time(each[field]) == last]
        if last is not None and last.isoformat() == known["at"]:
            ids += known["ids"]
        more = json.dumps({"at": last.isoformat(), "ids": ids}) if last and len(found) == _PAGE else None
        latest = max((_time(each["date_modified_gmt"]) for each in found), default=None)
        return OrderPage([ListedOrder(await self._as_body(each)) for each in found], more, latest)

    def known(self, body: bytes) -> PlatformOrder:
        """What the shop knows of the order. Raises ValueError, KeyError or TypeError for what is no order of it."""
        return orders.known(json.loads(body))

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Tell the shop one thing."""
        path = f"{_PATH}/orders/{order.reference}"
        if step.kind is StepKind.ACCEPT:
            await self._http.ask("PUT", path, json={"meta_data": [{"key": orders.ACCEPTED, "value": "yes"}]})
        elif step.kind is StepKind.FULFIL:
            await self._http.ask("PUT", path, json=orders.parcel(order.raw, step))
            return Told(step.key)
        elif step.kind is StepKind.DELIVER:
            await self._http.ask("PUT", path, json=orders.delivered(order.raw, step.platform_id))
        elif step.kind is StepKind.CANCEL and step.whole:
            await self._http.ask("PUT", path, json={"status": "cancelled"})
        else:
            return await self._refund(path, step)
        return Told(order.reference)

    async def _refund(self, path: str, step: TellStep) -> Told:
        """Money, or units without any: both are refunds. Our key is the reason, by which a repeat is found."""
        units = [{"id": int(line), "quantity": units, "refund_total": 0} for line, units in step.lines.items()]
        amount = "0" if not step.amount else _decimal(step.amount, step.currency)
        asked = {"reason": f"{step.key} {step.reason}".strip(), "amount": amount}
        pays = bool(step.amount) and self._settings.pays_refunds
        lines = {} if step.amount else {"line_items": units}
        made = await self._http.ask("POST", f"{path}/refunds", json={**asked, **lines, "api_refund": pays})
        return Told(str(made.json()["id"]))

    async def levels(self, after: str | None) -> StockPage:
        """A page of products that keep stock."""
        page = int(after or 1)
        params = {"per_page": _PRODUCTS, "page": page, "orderby": "id", "order": "asc"}
        found = (await self._http.ask("GET", f"{_PATH}/products", params=params)).json()
        kept = [StockLevel(each["sku"], int(each["stock_quantity"] or 0)) for each in found if _keeps_stock(each)]
        return StockPage(kept, str(page + 1) if len(found) == _PRODUCTS else None)

    async def set_levels(self, levels: Sequence[StockLevel]) -> Sequence[str]:
        """Set the whole quantity of each, so that a repeat does no harm; variations in their product's own batch."""
        wanted = {each.sku: each.quantity for each in levels}
        unknown: list[str] = []
        for start in range(0, len(levels), _PRODUCTS):
            skus = [each.sku for each in levels[start : start + _PRODUCTS]]
            params = {"sku": ",".join(skus), "per_page": _PRODUCTS}
            found = (await self._http.ask("GET", f"{_PATH}/products", params=params)).json()
            batches: dict[str, list[dict[str, Any]]] = {}
            for each in found:
                if each["sku"] in wanted:
                    of = f"products/{each['parent_id']}/variations" if each.get("parent_id") else "products"
                    change = {"id": each["id"], "manage_stock": True, "stock_quantity": wanted[each["sku"]]}
                    batches.setdefault(of, []).append(change)
            for of, changes in batches.items():
                await self._http.ask("POST", f"{_PATH}/{of}/batch", json={"update": changes})
            there = {each["sku"] for each in found}
            unknown += [sku for sku in skus if sku not in there]
        return unknown

    async def _as_body(self, order: Mapping[str, Any]) -> bytes:
        refunds: list[dict[str, Any]] = []
        if order.get("refunds"):
            refunds = (await self._http.ask("GET", f"{_PATH}/orders/{order['id']}/refunds")).json()
        return as_body(orders.with_counts(order, refunds))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _reference(body: bytes) -> str | None:
    told = document(body)
    given = told.get("id") if isinstance(told, dict) else None
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else None


def _keeps_stock(product: Mapping[str, Any]) -> bool:
    return bool(product.get("sku")) and bool(product.get("manage_stock"))


def _decimal(amount: int, currency: str) -> str:
    places = decimals(currency)
    return f"{amount / 10**places:.{places}f}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
