"""Every example of the document is sent, as it stands, to the sample: it is done, and the sample stays as it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

import worker
from api.app import create_app
from api.openapi import generate
from cli.schema import SAMPLE_DATA
from services.seed import seed
from settings import Settings
from store.database import engine as store_engine
from tests.worlds.access import HEADERS
from tests.worlds.databases import Databases
from tests.worlds.running import allocating

ENDLESS = "streamAvailabilityChanges"
"""Its answer never ends; tests/api/availability/test_changes.py reads it."""

FIRST = ("putNode", "putSku", "putChannel", "putDraft", "putWatch")
"""What the examples of other operations name."""

REFUSED = {
    # The system gives the id, or another party the number: no example can know it.
    "getImport": "not-found",
    "getImportProblems": "not-found",
    "cancelImport": "not-found",
    **dict.fromkeys(("getBulk", "listBulkItems", "stopBulk", "resumeBulk"), "not-found"),
    "getSavedView": "not-found",
    "putSavedView: late at a node, for all": "not-found",
    "putSavedView: promised for today or tomorrow and not sent": "not-found",
    "putSavedView: nothing happened for a day": "not-found",
    "deleteSavedView": "not-found",
    **dict.fromkeys(("acceptCorrection", "rejectCorrection"), "not-found"),
    **{f"{verb}CorrectionRule": "not-found" for verb in ("rehearse", "publish", "retire")},
    "makeCorrectionRule: of a repaired message": "invalid-input",
    "checkChannelMessage: with another SKU": "conflict",
    "checkChannelMessage: as it is, once the mapping is mended": "conflict",
    "getConnection": "not-found",  # it is asked before one is made
    "readFeed: now": "conflict",  # a sender of webhooks is never asked
    "readFeed: a back-fill of a week": "invalid-input",
    "receiveWebhook: a hint": "bad-signature",
    "getReturn": "not-found",
    "receiveReturn: everything arrived": "not-found",
    "receiveReturn: one of two": "not-found",
    "inspectReturn: one as new, one broken": "not-found",
    "cancelReturn: kept": "not-found",
    "closeReturn: one never came": "not-found",
    "getReservation": "not-found",
    "extendReservation: while the customer pays": "not-found",
    "releaseReservation": "not-found",
    "rotateApiKey: the old one works for an hour more": "not-found",
    "revokeApiKey": "not-found",
    "getApiKey": "not-found",
    "getSigningSecret": "not-found",
    "rotateSigningSecret: the old one counts for an hour more": "not-found",
    "rotateSigningSecret: the old one was stolen": "not-found",
    "revokeSigningSecret": "not-found",
    "getRehearsal": "not-found",
    "getRehearsalReport": "not-found",
    "deleteRehearsal": "not-found",
    **dict.fromkeys(
        (
            "getException",
            "assignException: a person",
            "assignException: a role",
            "takeException: as it was seen",
            "giveBackException: as it was seen",
            "snoozeException: until tomorrow",
            "snoozeException: no longer",
            "commentException: a comment",
            "resolveException: dealt with",
            "reopenException: as it was seen",
            "actOnException: as it was seen",
        ),
        "not-found",
    ),
    # The order was cancelled by the example before.
    "cancelOrder: two units of a line": "cannot-cancel",
    "cancelOrder: what is still possible": "cannot-cancel",
    "cancelOrder: ask who has picked it": "cannot-cancel",
    "answerCustomerQuestion: the customer called": "not-found",
    "getLinkedQuestion": "not-found",
    "answerLinkedQuestion: the customer cancels": "not-found",
    "grantCancellationRequest: the goods are put back": "not-found",
    "refuseCancellationRequest: it is too late": "not-found",
    "changeOrder: one more, and another address": "invalid-input",
    "changeOrder: another SKU": "invalid-input",
    "changeOrder: a substitute for two units": "invalid-input",
    "changeOrder: by express": "cannot-change",
    "placeHold: the address is incomplete": "step-not-possible",
    "placeHold: until a day": "step-not-possible",
    "releaseHold: as resolved": "not-found",
    "prioritiseOrder: ahead of others": "step-not-possible",
    "resendMessage: the customer asked for it": "not-found",
    "getFulfilmentLabel": "not-found",
    "accept_fulfilment: now": "step-not-possible",
    "accept_fulfilment: earlier": "step-not-possible",
    "reject_fulfilment: with the reason": "step-not-possible",
    "reject_fulfilment: some are damaged": "step-not-possible",
    "pick_fulfilment: all found": "step-not-possible",
    "pick_fulfilment: one missing": "step-not-possible",
    "pick_fulfilment: one damaged": "step-not-possible",
    "pack_fulfilment: now": "step-not-possible",
    "pack_fulfilment: earlier": "step-not-possible",
    "hand_over_fulfilment: now": "step-not-possible",
    "hand_over_fulfilment: earlier": "step-not-possible",
    "collect_fulfilment: with the customer's code": "step-not-possible",
    "collectedFulfilment: the customer lost the code": "step-not-possible",
    "keepFulfilment: the customer is away": "step-not-possible",
    "shipFulfilment: one parcel": "step-not-possible",
    "receiveFulfilmentAtStore: the carrier has not reported it": "step-not-possible",
    "putBackFulfilment: all of it": "step-not-possible",
    "arrivedFulfilment: the customer called": "step-not-possible",
    "loseFulfilment: the carrier says so": "step-not-possible",
    "deliverFulfilment: the customer called": "step-not-possible",
    "reshipFulfilment: to the right address": "step-not-possible",
    "moveFulfilment: to a node": "step-not-possible",
    "moveFulfilment: anywhere else": "step-not-possible",
    "sourceFulfilmentAgain: without its node": "step-not-possible",
    "sourceFulfilmentAgain: wherever it is best now": "step-not-possible",
    "splitFulfilment: two ahead of the rest": "step-not-possible",
    "mergeFulfilment: what was split goes together again": "step-not-possible",
    "requestReturn: two units of a line": "nothing-to-return",
    "requestReturn: to a store": "nothing-to-return",
    # The example before it closed the transfer, or runs under the name.
    "receiveInbound: it came back": "step-not-possible",
    "cancelInbound: called off": "step-not-possible",
    "startShadow: an earlier version": "conflict",
    # Trying it publishes nothing.
    "publishPolicy: two strategies": "conflict",
    "publishDraft": "not-found",
}
"""The examples that are refused when all are sent in turn, and as what."""

REFUSED_ITEMS = {
    "reportCarrierEvents: a parcel delivered": {0: "not-found"},
    "putSafetyStocks: a season begins": {1: "conflict"},
    "putMarkDowns: a season that ends": {1: "unknown-node"},
}
"""The items of lists that are refused, by their place."""


OF_THE_EXAMPLES = "example-node|EXAMPLE-1|example_shop"
"""What the examples make anew, and nobody else has."""


CONTENT = {
    "nodes": "SELECT t::text FROM nodes t",
    "skus": "SELECT t::text FROM skus t",
    "channels": "SELECT t::text FROM channels t",
    "channel_rules": "SELECT t::text FROM channel_rules t",
    "policies": "SELECT t::text FROM policies t",
    "stock": "SELECT (node_id, sku, on_hand, safety_stock, promise_safety, damaged, quarantine)::text FROM stock",
}
"""What the sample consists of; of stock what is there, not what orders and carts reserve of it."""


class Call(NamedTuple):
    """What the page of the API sends for one example."""

    operation: dict[str, Any]
    method: str
    path: str
    example: str
    parameters: dict[str, dict[str, str]]
    media_type: str | None
    body: Any

    @property
    def name(self) -> str:
        return f"{self.operation['operationId']}: {self.example}" if self.example else self.operation["operationId"]

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        content = self.body if isinstance(self.body, str) else json.dumps(self.body)
        media_type = {"content-type": self.media_type} if self.media_type else {}
        return await http.request(
            self.method,
            self.path.format_map(self.parameters["path"]),
            params=self.parameters["query"],
            headers=self.parameters["header"] | media_type,
            content=content if self.media_type else None,
        )


def example_of(parameter: dict[str, Any], document: dict[str, Any]) -> Any:
    of_its_own = [each["value"] for each in parameter.get("examples", {}).values()]
    schema = parameter["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = [*of_its_own, *schema.get("examples", []), *schema.get("enum", [])][:1]
    return found[0] if found else None


def calls() -> Iterator[Call]:
    document = generate()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
            for parameter in operation.get("parameters", []):
                value = example_of(parameter, document)
                if parameter.get("required"):
                    assert value is not None, f"{operation['operationId']} has no example of {parameter['name']}"
                if value is not None:
                    parameters[parameter["in"]][parameter["name"]] = value
            content = operation.get("requestBody", {}).get("content", {})
            for media_type, media in content.items():
                for name, example in media["examples"].items():
                    yield Call(operation, method, path, name, parameters, media_type, example["value"])
            if not content:
                yield Call(operation, method, path, "", parameters, None, None)


def in_turn() -> list[Call]:
    """All calls: first what others name, last what takes away."""
    found = [call for call in calls() if call.operation["operationId"] != ENDLESS]
    return sorted(found, key=lambda call: (call.operation["operationId"] not in FIRST, call.method == "delete"))


def refusal(call: Call, answer: httpx.Response) -> str | None:
    """The problem answered, if it is one; fails if the document does not say that it may be."""
    described = call.operation["responses"].get(str(answer.status_code))
    assert described, f"{call.name} answers {answer.status_code}: {answer.text}"
    if answer.status_code < 300:
        return None
    kind: str = answer.json()["type"].removeprefix("/problems/")
    assert kind in described["content"]["application/problem+json"]["examples"], f"{call.name}: {answer.text}"
    return kind


def refused_items(answer: httpx.Response) -> dict[int, str]:
    if not answer.headers["content-type"].startswith("application/json"):
        return {}
    results = answer.json().get("results", [])
    return {each["index"]: each["problem"]["type"].removeprefix("/problems/") for each in results if "problem" in each}


async def sample_data(engine: AsyncEngine) -> dict[str, set[Any]]:
    """Every row as text, but what is the examples' own."""
    async with engine.connect() as connection:
        rows = {table: set(await connection.scalars(text(query))) for table, query in CONTENT.items()}
    return {table: {row for row in found if not re.search(OF_THE_EXAMPLES, row)} for table, found in rows.items()}


async def test_every_example_is_done_or_refused_as_the_document_says(
    trying: httpx.AsyncClient, sample: AsyncEngine
) -> None:
    before = await sample_data(sample)
    assert all(before.values())
    answers = [(call, await call.send(trying)) for call in in_turn()]
    found = {call.name: kind for call, answer in answers if (kind := refusal(call, answer))}
    assert found == REFUSED
    items = {call.name: kinds for call, answer in answers if (kinds := refused_items(answer))}
    assert items == REFUSED_ITEMS
    for call in calls():
        if call.operation["operationId"] != ENDLESS:
            refusal(call, await call.send(trying))
    after = await sample_data(sample)
    assert {table: after[table] ^ rows for table, rows in before.items()} == {table: set() for table in before}


@pytest.fixture(scope="module")
def sample_settings(running: Settings, databases: Databases, schema_template: str) -> Iterator[Settings]:
    with databases.fresh(schema_template) as url:
        yield running.model_copy(update={"database_url": url, "task_queue": url.rpartition("/")[2]})


@pytest.fixture(scope="module")
async def sample(sample_settings: Settings) -> AsyncIterator[AsyncEngine]:
    await asyncio.to_thread(seed, sample_settings.database_url, SAMPLE_DATA)
    opened = store_engine.create(sample_settings.database_url)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="module")
async def trying(
    sample_settings: Settings, sample: AsyncEngine, temporal_client: Client
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(sample_settings, sample, temporal_client)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        worker.activities(sample_settings, sample, temporal_client) as served,
        worker.build(temporal_client, sample_settings, served),
        allocating(sample),
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30, headers=HEADERS) as opened,
    ):
        yield opened
