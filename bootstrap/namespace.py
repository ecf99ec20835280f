"""The Temporal namespace of the orders, and the search attributes it must know; looked at, and made."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bootstrap import refusals, temporal
from bootstrap.problems import StartProblem
from workflows import attributes

RETENTION: Final = timedelta(days=30)
"""How long a new namespace keeps the history of an order that has ended."""
PATIENCE: Final = timedelta(seconds=3)
"""How long one look may take."""
REQUIRED: Final = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in attributes.ALL}
"""Search attributes that workflows write, by name."""
_SETTLES_WITHIN_SECONDS: Final = 30.0
"""A server's parts learn of a new namespace one after the other."""
_NOT_TOLD: Final = refusals.LOCKED_OUT | {RPCStatusCode.UNIMPLEMENTED}
"""How a hosted Temporal answers when it lets nobody look at or change search attributes this way."""


def address_of(client: Client) -> str:
    """Where the client connects."""
    return client.service_client.config.target_host


async def lacking(client: Client) -> StartProblem | None:
    """What the server lacks for orders; None if they can run. Raises RPCError or RuntimeError if it does not answer."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=PATIENCE
        )
        known = await _attributes(client)
    except RPCError as error:
        if refusals.is_about_namespace(error) or error.status in refusals.LOCKED_OUT:
            return temporal.refused(address_of(client), client.namespace, error)
        raise
    return wrong_type(client, known) or missing(client, known)


def missing(client: Client, known: dict[str, IndexedValueType.ValueType] | None) -> StartProblem | None:
    """The problem that search attributes are not registered, if one is not."""
    absent = [] if known is None else sorted(REQUIRED.keys() - known.keys())
    if not absent:
        return None
    return StartProblem(
        f"the Temporal namespace {client.namespace} does not know the search attributes {', '.join(absent)}",
        "run `dom prepare`, which registers them",
    )


def wrong_type(client: Client, known: dict[str, IndexedValueType.ValueType] | None) -> StartProblem | None:
    """The problem that a search attribute is registered with another type, if one is."""
    wrong = [name for name, kind in REQUIRED.items() if known and known.get(name, kind) not in {kind, _UNKNOWN}]
    if not known or not wrong:
        return None
    named = ", ".join(f"{name} as {_word(known[name])} and not as {_word(REQUIRED[name])}" for name in wrong)
    return StartProblem(
        f"the Temporal namespace {client.namespace} knows the search attribute {named}",
        "remove it there (`temporal operator search-attribute remove`), then run `dom prepare`",
    )


async def require(client: Client) -> None:
    """Raises StartProblem when the server does not answer, or lacks what orders need."""
    try:
        problem = await lacking(client)
    except RPCError as error:
        raise temporal.refused(address_of(client), client.namespace, error) from error
    if problem is not None:
        raise problem


async def prepare(client: Client) -> list[str]:
    """Makes the namespace and registers search attributes where they are missing; answers in words what it made.

    Repeating it changes nothing. Raises StartProblem when the server refuses.
    """
    made: list[str] = []
    try:
        if await _make_namespace(client):
            made.append(f"namespace {client.namespace}, which keeps ended orders for {RETENTION.days} days")
        known = await _settled(client)
        if (problem := wrong_type(client, known)) is not None:
            raise problem
        absent = {} if known is None else {name: kind for name, kind in REQUIRED.items() if name not in known}
        if absent:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=absent)
            )
            made.append(f"search attributes {', '.join(sorted(absent))}")
        await _until_known(client)
    except RPCError as error:
        raise _refused(client, error) from error
    return made


async def _make_namespace(client: Client) -> bool:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if not refusals.is_about_namespace(error):
            raise
    else:
        return False
    kept = Duration()
    kept.FromTimedelta(RETENTION)
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=kept)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        return False  # another one was faster
    return True


async def _settled(client: Client) -> dict[str, IndexedValueType.ValueType] | None:
    """The search attributes, once every part of the server knows the namespace."""
    deadline = asyncio.get_running_loop().time() + _SETTLES_WITHIN_SECONDS
    while True:
        try:
            return await _attributes(client)
        except RPCError as error:
            if not refusals.is_about_namespace(error) or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.2)


async def _until_known(client: Client) -> None:
    deadline = asyncio.get_running_loop().time() + _SETTLES_WITHIN_SECONDS
    while (problem := missing(client, await _attributes(client))) is not None:
        if asyncio.get_running_loop().time() > deadline:
            raise problem
        await asyncio.sleep(0.2)


async def _attributes(client: Client) -> dict[str, IndexedValueType.ValueType] | None:
    """Name and type of each search attribute of the namespace; None where the server does not tell."""
    try:
        found = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=PATIENCE
        )
    except RPCError as error:
        if error.status not in _NOT_TOLD:
            raise
    else:
        return dict(found.custom_attributes)
    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace), timeout=PATIENCE
    )
    return dict.fromkeys(described.config.custom_search_attribute_aliases.values(), _UNKNOWN) or None


def _refused(client: Client, error: RPCError) -> StartProblem:
    if error.status in _NOT_TOLD:
        return StartProblem(
            f"the Temporal server at {address_of(client)} lets us prepare nothing ({error.message})",
            f"make the namespace {client.namespace} with the search attributes "
            f"{', '.join(f'{name} ({_word(kind)})' for name, kind in REQUIRED.items())} by its own tools",
        )
    return temporal.refused(address_of(client), client.namespace, error)


_UNKNOWN: Final = IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED


def _word(kind: IndexedValueType.ValueType) -> str:
    """`Keyword` of INDEXED_VALUE_TYPE_KEYWORD."""
    return IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
