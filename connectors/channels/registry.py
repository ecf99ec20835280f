"""Which connector serves a platform."""

from typing import Final

from connectors.channels.amazon.connector import AmazonConnector
from connectors.channels.edi.edifact.connector import EdifactConnector
from connectors.channels.edi.x12.connector import X12Connector
from connectors.channels.files.connector import FilesConnector
from connectors.channels.generic import GenericConnector
from connectors.channels.port import ChannelConnector
from connectors.channels.shopify.connector import ShopifyConnector
from connectors.channels.vendure.connector import VendureConnector
from connectors.channels.woocommerce.connector import WooCommerceConnector
from dom.channels.connection import Platform

CONNECTORS: Final[dict[Platform, type[ChannelConnector]]] = {
    each.platform: each
    for each in (
        GenericConnector, ShopifyConnector, VendureConnector, AmazonConnector, WooCommerceConnector, FilesConnector,
        X12Connector, EdifactConnector,
    )
}  # fmt: skip
"""One class for each platform."""


def serving(platform: Platform | None) -> type[ChannelConnector]:
    """The connector of a platform; of a channel that is not connected, that of any sender of JSON."""
    return GenericConnector if platform is None else CONNECTORS[platform]
