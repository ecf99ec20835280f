"""Pages of nodes and SKUs."""

from api.http.models import Page
from dom.network import Node, Sku


class NodeList(Page):
    """A page of nodes by code."""

    items: list[Node]


class SkuList(Page):
    """A page of SKUs by code."""

    items: list[Sku]
