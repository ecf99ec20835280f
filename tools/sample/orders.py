"""Gives an invoice its channel, customer and address: the order as a channel would send it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.sample.channels import (
    Channel,
    History,
    ShippingMethod,
    buyer_of,
    channel_of,
    is_picked_up,
    shipped_by,
)
from tools.sample.clean import CHANNEL_ISLANDS, COUNTRY_CODES
from tools.sample.draw import one_of
from tools.sample.invoices import Invoice, Line
from tools.sample.network import STORE_COUNTRIES, STORES, Node
from tools.sample.people import email_of, name_of, phone_of, street_of
from tools.sample.places import Place, pick_place, within

PICKUP_RADIUS_KM = 40
ISLANDS = ("JE", "GG")


@dataclass(frozen=True, slots=True)
class Order:
    """An invoice with all that was assigned to it. `pickup_node` is None unless the method is pickup.

    `home` is the country of the customer's first order: the name follows it, wherever a later order goes.
    """

    invoice: Invoice
    customer_id: str
    channel: Channel
    method: ShippingMethod
    pickup_node: str | None
    place: Place
    home: str

    @property
    def country(self) -> str:
        return self.place.country


@dataclass(slots=True)
class Assigner:
    """Assigns by the documented rules; the same customer in the same country always lives at the same place."""

    places: Mapping[str, Sequence[Place]]
    histories: Mapping[str, History]
    _near: dict[str, list[Place]] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)

    def order_for(self, invoice: Invoice) -> Order:
        customer_id = customer_id_of(invoice)
        country = country_of(invoice, customer_id)
        channel = channel_of(customer_id, buyer_of(self.histories.get(invoice.customer), country in STORE_COUNTRIES))
        shop = shop_of(customer_id, country) if channel is Channel.STORE else None
        picked_up = shop is not None and is_picked_up(channel, invoice)
        return Order(
            invoice=invoice,
            customer_id=customer_id,
            channel=channel,
            method=ShippingMethod.PICKUP if picked_up else shipped_by(channel, invoice),
            pickup_node=shop.id if shop is not None and picked_up else None,
            place=self.place_of(customer_id, country, shop),
            home=self._homes.setdefault(customer_id, country),
        )

    def place_of(self, customer_id: str, country: str, shop: Node | None) -> Place:
        if shop is None:
            return pick_place(self.places[country], customer_id, country)
        if shop.id not in self._near:
            self._near[shop.id] = within(self.places[country], shop.latitude, shop.longitude, PICKUP_RADIUS_KM)
        return pick_place(self._near[shop.id], customer_id, country)


def customer_id_of(invoice: Invoice) -> str:
    return f"C{invoice.customer}" if invoice.customer else f"G{invoice.number}"


def country_of(invoice: Invoice, customer_id: str) -> str:
    if invoice.country_name == CHANNEL_ISLANDS:
        return one_of(ISLANDS, "island", customer_id)
    return COUNTRY_CODES[invoice.country_name]


def shop_of(customer_id: str, country: str) -> Node | None:
    """The store the customer goes to, None if the country has none."""
    shops = [node for node in STORES if node.address.country == country]
    return one_of(shops, "shop", customer_id) if shops else None


def order_document(order: Order) -> dict[str, Any]:
    """The order in the form of `POST /v1/orders`."""
    name = name_of(order.customer_id, order.home)
    document: dict[str, Any] = {
        "channel": order.channel,
        "external_id": order.invoice.number,
        "placed_at": utc_text(order.invoice.placed_at),
        "currency": "GBP",
        "customer": {
            "id": order.customer_id,
            "name": name,
            "email": email_of(name, order.customer_id),
            "phone": phone_of(order.customer_id, order.home),
        },
        "ship_to": {
            "name": name,
            "lines": [street_of(order.customer_id, order.country)],
            "city": order.place.city,
            "region": order.place.region,
            "postal_code": order.place.postal_code,
            "country": order.country,
        },
        "lines": [line_document(line) for line in order.invoice.lines],
        "shipping_method": order.method,
    }
    if order.pickup_node is not None:
        document["pickup_node"] = order.pickup_node
    document["payment"] = {"method": "card", "amount": order.invoice.total_pence}
    document["tags"] = tags_of(order)
    return document


def line_document(line: Line) -> dict[str, Any]:
    return {"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity, "unit_price": line.price_pence}


def tags_of(order: Order) -> list[str]:
    """What support staff filter by: guests, exports (not from Great Britain), wholesale."""
    tags = {
        "guest": not order.invoice.customer,
        "export": order.country != "GB",
        "wholesale": order.channel is Channel.B2B,
    }
    return [tag for tag, applies in tags.items() if applies]


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
