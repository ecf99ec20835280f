"""The nodes of the network."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.network import examples
from api.network.models import NodeList
from dom.network import Node, NodeKind
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from store.network import reference
from store.reports import lists

router = APIRouter(tags=["network"])

NodeId = Annotated[str, Path(max_length=64, description="The node's code.", examples=["dc-daventry"])]


@router.get(
    "/nodes",
    summary="Find nodes",
    operation_id="listNodes",
    response_model=NodeList,
    responses={
        **responses.success(200, "A page of nodes by code.", examples.NODE_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.NETWORK_READ)],
    kind: Annotated[NodeKind | None, Query(description="Only nodes of this kind.")] = None,
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="Only nodes in this country.")] = None,
    active: Annotated[bool | None, Query(description="Only nodes that get new work, or only others.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Every node with all that is known of it. Filters combine."""
    after = cursor.decode(cursor_, 1)[0] if cursor_ else None
    wanted = lists.NodeFilter(kind=kind, country=country, active=active, limits=who.limits)
    async with services.reads.connect() as connection:
        found = await lists.list_nodes(connection, wanted, after=after, limit=limit + 1)
    page, more = cursor.page(found, limit, lambda document: (document["id"],))
    return Json({"items": [Node.model_validate(document) for document in page], "next_cursor": more})


@router.get(
    "/nodes/{node_id}",
    summary="A node",
    operation_id="getNode",
    response_model=Node,
    responses={**responses.success(200, "The node.", examples.NODE), **responses.problems("not-found")},
)
async def get(node_id: NodeId, services: Use, who: Annotated[Principal, needs(Scope.NETWORK_READ)]) -> Json:
    """Where it stands, when it is open, what it costs and how much it can do a day."""
    visibility.must_be_own(who, node=node_id)
    async with services.reads.connect() as connection:
        return Json(await reference.get_node(connection, node_id))


@router.put(
    "/nodes/{node_id}",
    summary="Create or replace a node",
    operation_id="putNode",
    response_model=Node,
    responses={
        **responses.success(200, "Replaced; it counts for the next order.", examples.NODE),
        **responses.success(201, "Created.", examples.NODE, Node),
        **responses.problems("invalid-input"),
    },
)
async def put(
    node_id: Annotated[str, Path(max_length=64, description="The node's code.", examples=["example-node"])],
    node: Annotated[Node, AS_SEEN, Body(openapi_examples=responses.named(examples.NODE_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.NETWORK_WRITE)],
) -> Json:
    """The `id` in the body is the one in the address. A node that is not `active` gets no new work.

    Work that a node has and cannot do any more (switched off, no pick-up, its service or country taken away, not
    equipped for the goods) or not on its day (closed, an earlier cut-off) is planned anew a moment later where it was
    not begun; where it was, it stands in the exception queue. Carts that hold units there keep them until they expire,
    and say what an order of them would get: it is planned on what other nodes have.
    """
    visibility.must_be_own(who, node=node_id)
    if node.id != node_id:
        raise InvalidInput(f"the address says {node_id}", field="id")
    async with services.engine.begin() as connection:
        created = await reference.put_node(connection, node)
    return Json(node, 201 if created else 200)
