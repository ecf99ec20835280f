"""Amazon: ORDER_CHANGE notifications as hints, orders by the Orders API, shipments confirmed, stock by listings.

Notifications come through Amazon's own queues; a rule of EventBridge posts them to our webhook with a header that holds
the channel's secret (`x-notification-key`). Orders that are pending have no prices and no address. Listing orders is
granted 0.0056 times a second, asking for one 0.5 times: each has a budget of its own.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote

import httpx
from pydantic import Field

from connectors.channels.amazon import orders
from connectors.channels.amazon.access import AmazonAccess
from connectors.channels.bodies import as_body
from connectors.channels.budget import RequestBudget
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
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity, content_id
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.base import Value
from dom.shared.texts import keepable
from dom.shared.urls import HttpUrl

_PATH: Final = "/orders/2026-01-01/orders"
_LISTINGS: Final = "/listings/2021-08-01/items"
_INCLUDED: Final = "BUYER,RECIPIENT,PROCEEDS,CANCELLATION,FULFILLMENT,PACKAGES"
_PAGE: Final = 100
_LISTINGS_PAGE: Final = 20
_KEY: Final = "x-notification-key"
_GRANTED: Final = "x-amzn-ratelimit-limit"
"""Requests a second that this seller is granted, which may be more than most."""


class AmazonSettings(Value):
    """What the connector needs to know of a seller."""

    url: HttpUrl = Field(description="The region's endpoint, as https://sellingpartnerapi-eu.amazon.com.")
    token_url: HttpUrl = Field(default="https://api.amazon.com/auth/o2/token", description="Of Login with Amazon.")
    client_id: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Of the application.")
    marketplace: Annotated[str, Field(min_length=1, max_length=40)] = Field(description="As A1F83G8C2ARO7P (UK).")
    seller: Annotated[str, Field(max_length=40)] = Field(default="", description="The merchant's token, for stock.")


class AmazonConnector(ChannelConnector):
    """A seller in one of Amazon's marketplaces."""

    platform: ClassVar[Platform] = Platform.AMAZON
    settings_model: ClassVar[type[Value]] = AmazonSettings
    needs: ClassVar[tuple[str, ...]] = ("client_secret", "refresh_token")
    signs: ClassVar[str | None] = "notification_key"
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    tells: frozenset[StepKind] = frozenset({StepKind.FULFIL})

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises ValidationError for settings that no seller can have."""
        super().__init__(connection, secrets, transport=transport)
        told = self._settings = AmazonSettings.model_validate(connection.settings)
        access = AmazonAccess(told.token_url, told.client_id, secrets["client_secret"], secrets["refresh_token"])

        def asked(size: float, per_second: float) -> PlatformHttp:
            budget = RequestBudget(size, per_second)
            return PlatformHttp(told.url, {}, budget, transport=transport, auth=access, rate_header=_GRANTED)

        self._one, self._many = asked(30, 0.5), asked(20, 0.0056)
        self._ship, self._listings = asked(10, 2), asked(10, 5)

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By the notification's id; Amazon's order id is the number. Of an order that was asked for, by itself."""
        del headers, mapping
        by_content = content_id(body)
        try:
            told = json.loads(body)
            if "orderId" in told:
                return MessageIdentity(by_content, "order", _text(told["orderId"]))
            change = told["Payload"]["OrderChangeNotification"]
            delivery = _text(told["NotificationMetadata"]["NotificationId"]) or by_content
            return MessageIdentity(delivery, "ORDER_CHANGE", _text(change["AmazonOrderId"]), is_hint=True)
        except (ValueError, LookupError, TypeError, RecursionError):
            return MessageIdentity(by_content)

    @classmethod
    def is_signed(cls, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the header holds the secret; Amazon's rule signs nothing."""
        del body
        return hmac.compare_digest(secret.encode(), headers.get(_KEY, "").encode())

    async def order(self, reference: str) -> bytes | None:
        """The order by Amazon's id, or None."""
        answer = await self._one.ask("GET", f"{_PATH}/{quote(reference, safe='')}", params={"includedData": _INCLUDED})
        return None if answer.status_code == httpx.codes.NOT_FOUND else as_body(answer.json()["order"])

    async def orders(self, span: FeedSpan, after: str | None) -> OrderPage:
        """A page of orders by the time of their last change, or of their making; both bounds as Amazon has them."""
        field = "created" if span.placed else "lastUpdated"
        params = {
            f"{field}After": _moment(span.since),
            "marketplaceIds": self._settings.marketplace,
            "maxResultsPerPage": _PAGE,
            "includedData": _INCLUDED,
            "fulfilledBy": "MERCHANT",
        }
        if span.until is not None:
            params[f"{field}Before"] = _moment(span.until)
        if after is not None:
            params["paginationToken"] = after
        answer = (await self._many.ask("GET", _PATH, params=params)).json()
        listed = [ListedOrder(as_body(each)) for each in answer["orders"]]
        latest = max((datetime.fromisoformat(each["lastUpdatedTime"]) for each in answer["orders"]), default=None)
        return OrderPage(listed, (answer.get("pagination") or {}).get("nextToken"), latest)

    def known(self, body: bytes) -> PlatformOrder:
        """What Amazon knows of the order. Raises ValueError, KeyError or TypeError for what is no order of it."""
        return orders.known(json.loads(body))

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Confirm a shipment; nothing else can be told."""
        asked = orders.package(step, self._settings.marketplace, _moment(datetime.now(UTC)))
        path = f"/orders/v0/orders/{quote(order.reference, safe='')}/shipmentConfirmation"
        await self._ship.ask("POST", path, json=asked)
        return Told(orders.package_number(step.key))

    async def levels(self, after: str | None) -> StockPage:
        """A page of the seller's listings with what they offer."""
        params: dict[str, Any] = {
            "marketplaceIds": self._settings.marketplace,
            "includedData": "fulfillmentAvailability",
            "pageSize": _LISTINGS_PAGE,
        }
        if after is not None:
            params["pageToken"] = after
        answer = (await self._listings.ask("GET", f"{_LISTINGS}/{self._settings.seller}", params=params)).json()
        found = [
            StockLevel(item["sku"], int(each.get("quantity", 0)))
            for item in answer["items"]
            for each in item.get("fulfillmentAvailability") or ()
            if each["fulfillmentChannelCode"] == "DEFAULT"
        ]
        return StockPage(found, (answer.get("pagination") or {}).get("nextToken"))

    async def set_levels(self, levels: Sequence[StockLevel]) -> Sequence[str]:
        """Set what each listing offers; the whole quantity, so that a repeat does no harm."""
        unknown = []
        for each in levels:
            offer = {"fulfillment_channel_code": "DEFAULT", "quantity": each.quantity}
            patch = {"op": "replace", "path": "/attributes/fulfillment_availability", "value": [offer]}
            answer = await self._listings.ask(
                "PATCH",
                f"{_LISTINGS}/{self._settings.seller}/{quote(each.sku, safe='')}",
                params={"marketplaceIds": self._settings.marketplace},
                json={"productType": "PRODUCT", "patches": [patch]},
            )
            if answer.status_code == httpx.codes.NOT_FOUND:
                unknown.append(each.sku)
        return unknown

    async def close(self) -> None:
        """Close the connections."""
        for each in (self._one, self._many, self._ship, self._listings):
            await each.close()


def _text(given: Any) -> str | None:
    return keepable(given)[:64] if isinstance(given, str) and given else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
