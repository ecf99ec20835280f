"""The OpenAPI document is the contract: complete, true, and the one that is committed."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from api import openapi
from api.contract.compatibility import breaks
from api.http.problems import MEDIA_TYPE, TYPES, Problem
from dom.orders.status import FulfilmentStep
from dom.shared.errors import DomError

DOCUMENT = openapi.generate()
OF_STAFF = (
    "arrived",
    "lost",
    "delivered",
    "reship",
    "move",
    "source-again",
    "split",
    "merge",
    "collected",
    "keep",
    "put-back",
    "receive-at-store",
    "ship",
)
PROMISED = {
    "POST /v1/orders",
    "GET /v1/orders",
    *(f"{method} /v1/orders/views" for method in ("GET", "POST")),
    *(f"{method} /v1/orders/views/{{view_id}}" for method in ("GET", "PUT", "DELETE")),
    "GET /v1/orders/{order_id}",
    "POST /v1/channels/{channel_id}/messages",
    *(f"{method} /v1/channels/{{channel_id}}/mappings" for method in ("GET", "POST")),
    "GET /v1/channels/{channel_id}/mappings/{version}",
    *(f"POST /v1/channels/{{channel_id}}/mappings/{step}" for step in ("lint", "preview")),
    "GET /v1/channel-connections",
    *(f"{method} /v1/channels/{{channel_id}}/connection" for method in ("GET", "PUT", "DELETE")),
    *(f"POST /v1/channels/{{channel_id}}/connection/{step}" for step in ("pause", "resume", "feeds/{feed}/read")),
    "POST /webhooks/{channel_id}",
    *(f"{method} /v1/channels/{{channel_id}}/correction-rules" for method in ("GET", "POST")),
    *(
        f"POST /v1/channels/{{channel_id}}/correction-rules/{{rule_id}}/{step}"
        for step in ("rehearse", "publish", "retire")
    ),
    "GET /v1/inbox",
    "POST /v1/inbox/replay",
    "POST /v1/inbox/{inbox_id}/check",
    "GET /v1/inbox/corrections/rates",
    *(f"POST /v1/inbox/{{inbox_id}}/corrections/{{correction_id}}/{step}" for step in ("accept", "reject")),
    "GET /v1/inbox/balance",
    "GET /v1/inbox/{inbox_id}",
    "POST /v1/inbox/{inbox_id}/replay",
    "POST /v1/inbox/{inbox_id}/dismiss",
    "POST /v1/orders/{order_id}/cancel",
    "GET /v1/cancellation-requests",
    "GET /v1/customer-questions",
    "POST /v1/customer-questions/{question_id}/answer",
    "GET /questions/{token}",
    "POST /questions/{token}",
    *(f"POST /v1/cancellation-requests/{{request_id}}/{answer}" for answer in ("grant", "refuse")),
    "POST /v1/orders/{order_id}/changes",
    "GET /v1/orders/{order_id}/changes",
    "GET /v1/change-rules",
    *(f"{method} /v1/bulk" for method in ("GET", "POST")),
    "POST /v1/bulk-preview",
    "GET /v1/bulk/{bulk_id}",
    "GET /v1/bulk/{bulk_id}/items",
    *(f"POST /v1/bulk/{{bulk_id}}/{step}" for step in ("stop", "resume")),
    "POST /v1/orders/{order_id}/holds",
    "GET /v1/orders/{order_id}/holds",
    "POST /v1/orders/{order_id}/holds/{hold_id}/release",
    "GET /v1/holds",
    "GET /v1/holds/policy",
    "PUT /v1/holds/policy",
    "GET /v1/holds/policy/versions",
    "POST /v1/orders/{order_id}/notes",
    "GET /v1/orders/{order_id}/notes",
    "POST /v1/orders/{order_id}/prioritise",
    "POST /v1/messages/{message_id}/resend",
    "GET /v1/orders/{order_id}/timeline",
    "GET /v1/orders/{order_id}/sourcing",
    "GET /v1/availability",
    "GET /v1/availability/changes",
    "GET /v1/availability/stream",
    "POST /v1/availability/query",
    "POST /v1/availability/promise",
    "GET /v1/channels",
    "GET /v1/channels/{channel_id}",
    "PUT /v1/channels/{channel_id}",
    "GET /v1/channels/{channel_id}/rules",
    "PUT /v1/channels/{channel_id}/rules",
    "POST /v1/inventory/adjustments",
    "POST /v1/inventory/counts",
    "POST /v1/inventory/imports",
    "GET /v1/inventory/imports",
    "GET /v1/inventory/imports/{import_id}",
    "GET /v1/inventory/imports/{import_id}/problems",
    "POST /v1/inventory/imports/{import_id}/cancel",
    "PUT /v1/inventory/safety-stocks",
    "PUT /v1/inventory/mark-downs",
    "POST /v1/inventory/reallocations",
    "GET /v1/inventory/values",
    "GET /v1/inbound",
    "GET /v1/inbound/{reference}",
    "PUT /v1/inbound/{reference}",
    *(f"POST /v1/inbound/{{reference}}/{step}" for step in ("ship", "receive", "cancel")),
    "GET /v1/nodes",
    "GET /v1/nodes/{node_id}",
    "PUT /v1/nodes/{node_id}",
    "GET /v1/skus",
    "GET /v1/skus/{sku_id}",
    "PUT /v1/skus/{sku_id}",
    "GET /v1/fulfilments",
    "GET /v1/fulfilments/{fulfilment_id}/label",
    *(f"POST /v1/fulfilments/{{fulfilment_id}}/{step}" for step in (*FulfilmentStep, *OF_STAFF)),
    "GET /v1/carriers",
    "POST /v1/carriers/{carrier}/events",
    "GET /v1/shipments",
    "GET /v1/messages",
    "GET /v1/exceptions",
    "GET /v1/exceptions/counts",
    "GET /v1/exceptions/{exception_id}",
    *(
        f"POST /v1/exceptions/{{exception_id}}/{step}"
        for step in ("assign", "take", "give-back", "snooze", "comments", "resolve", "reopen", "actions/{action}")
    ),
    "GET /v1/watches",
    *(f"{method} /v1/watches/{{watch}}" for method in ("GET", "PUT", "DELETE")),
    "POST /v1/reservations",
    "GET /v1/reservations/{reservation_id}",
    "POST /v1/reservations/{reservation_id}/extend",
    "DELETE /v1/reservations/{reservation_id}",
    "GET /v1/ofl/policies",
    "POST /v1/ofl/policies",
    "POST /v1/ofl/policies/lint",
    "GET /v1/ofl/policies/diff",
    "GET /v1/ofl/policies/schema",
    "GET /v1/ofl/policies/{version}",
    "POST /v1/ofl/policies/{version}/restore",
    "GET /v1/ofl/drafts",
    *(f"{method} /v1/ofl/drafts/{{name}}" for method in ("GET", "PUT", "DELETE")),
    "POST /v1/ofl/drafts/{name}/publish",
    "POST /v1/returns",
    "GET /v1/returns",
    "GET /v1/returns/{return_id}",
    "POST /v1/returns/{return_id}/receive",
    "POST /v1/returns/{return_id}/inspect",
    "POST /v1/returns/{return_id}/cancel",
    "POST /v1/returns/{return_id}/close",
    "GET /v1/ofl/shadows",
    "GET /v1/ofl/shadows/{name}",
    "POST /v1/ofl/shadows/{name}",
    "DELETE /v1/ofl/shadows/{name}",
    "POST /v1/ofl/rehearsals",
    "GET /v1/ofl/rehearsals",
    "GET /v1/ofl/rehearsals/{rehearsal_id}",
    "DELETE /v1/ofl/rehearsals/{rehearsal_id}",
    "GET /v1/ofl/rehearsals/{rehearsal_id}/report",
    "GET /v1/access/keys",
    "POST /v1/access/keys",
    *(f"POST /v1/access/keys/{{key_id}}/{step}" for step in ("rotate", "revoke")),
    "GET /v1/access/keys/{key_id}",
    "GET /v1/access/secrets",
    "POST /v1/access/secrets",
    "GET /v1/access/secrets/{secret_id}",
    *(f"POST /v1/access/secrets/{{secret_id}}/{step}" for step in ("rotate", "revoke")),
    "GET /v1/access/audit",
    "GET /health/live",
    "GET /health/ready",
    "GET /problems/{name}",
}


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


OPERATIONS = operations()


def test_the_committed_document_is_the_one_generated() -> None:
    committed = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    assert committed == DOCUMENT, "run `python -m api.openapi` and look at what changes for callers"


def test_what_is_committed_breaks_nobody() -> None:
    assert breaks(json.loads(openapi.DOCUMENT.read_text(encoding="utf-8")), DOCUMENT) == []


def test_every_endpoint_is_there_and_none_unknown() -> None:
    assert set(OPERATIONS) == PROMISED


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere() -> None:
    references = set(_references(DOCUMENT))
    assert len(references) > 100
    for reference in references:
        assert reference.rpartition("/")[2] in DOCUMENT["components"]["schemas"], reference


def test_a_schema_has_one_name_and_a_name_one_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name in schemas if "__" in name or name.endswith(("-Input", "-Output"))] == []
    titles = [schema.get("title", name) for name, schema in schemas.items()]
    assert sorted(set(titles)) == sorted(titles)


def test_its_version_is_that_of_the_package() -> None:
    project = tomllib.loads((openapi.DOCUMENT.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert DOCUMENT["info"]["version"] == project["project"]["version"]


def test_every_field_and_parameter_is_described() -> None:
    fields = {
        f"{schema}.{name}": field
        for schema, described in DOCUMENT["components"]["schemas"].items()
        for name, field in described.get("properties", {}).items()
    }
    parameters = {
        f"{name} {parameter['name']}": parameter
        for name, operation in OPERATIONS.items()
        for parameter in operation.get("parameters", [])
    }
    silent = [name for name, each in {**fields, **parameters}.items() if len(each.get("description", "")) < 4]
    assert silent == [], "say what it means where it is declared, or in api/contract/glossary for every place"


@pytest.mark.parametrize("schema", ["ShipTo", "ShipToRequest", "NodeAddress"])
def test_lines_of_an_address_are_no_lines_of_an_order(schema: str) -> None:
    assert "street" in DOCUMENT["components"]["schemas"][schema]["properties"]["lines"]["description"]


def test_what_is_made_or_listed_leads_to_what_can_be_done_with_it() -> None:
    linked = {
        each["operationId"]: {name for answer in each["responses"].values() for name in answer.get("links", {})}
        for each in OPERATIONS.values()
    }
    steps = {f"{step.value.replace('-', '_')}_fulfilment" for step in FulfilmentStep}
    assert linked["captureOrder"] >= {
        "getOrder",
        "cancelOrder",
        "getOrderTimeline",
        "listFulfilments",
        "listExceptions",
    }
    assert linked["listFulfilments"] >= {*steps, "arrivedFulfilment", "getFulfilmentLabel", "getOrder"}
    assert all(linked[step] >= steps for step in steps)
    assert linked["requestReturn"] >= {"getReturn", "receiveReturn", "inspectReturn", "cancelReturn", "closeReturn"}
    assert linked["receiveReturn"] >= {"getReturn", "inspectReturn"}
    silent = {name for name, to in linked.items() if name.startswith("list") and not to}
    assert silent == {
        "listAvailabilityChanges",
        "listStockValues",
        "listAuditLog",
        "listChangeRules",
        "listHoldPolicies",
    }


def test_nothing_of_the_framework_shows() -> None:
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
class TestOperation:
    def test_it_is_described(self, name: str) -> None:
        operation = OPERATIONS[name]
        assert operation["summary"]
        assert len(operation["description"]) > 10
        assert {tag["name"] for tag in DOCUMENT["tags"]} >= set(operation["tags"])
        assert operation["tags"]

    def test_every_success_has_an_example(self, name: str) -> None:
        successes = {s: a for s, a in OPERATIONS[name]["responses"].items() if s.startswith("2")}
        assert successes
        for answer in successes.values():
            for content in answer["content"].values():
                assert "schema" in content
                assert content["schema"].get("format") == "binary" or "example" in content

    def test_every_error_is_a_problem_with_an_example_that_is_one(self, name: str) -> None:
        errors = {s: a for s, a in OPERATIONS[name]["responses"].items() if not s.startswith("2")}
        for status, answer in errors.items():
            content = answer["content"][MEDIA_TYPE]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for example in content["examples"].values():
                assert Problem.model_validate(example["value"]).status == int(status)

    def test_it_says_that_servers_may_be_away(self, name: str) -> None:
        if name != "GET /health/live":
            assert "503" in OPERATIONS[name]["responses"]

    def test_every_body_has_examples(self, name: str) -> None:
        for content in OPERATIONS[name].get("requestBody", {"content": {}})["content"].values():
            assert content["examples"]

    def test_it_says_what_is_refused_before_it_sees_a_body(self, name: str) -> None:
        operation = OPERATIONS[name]
        if "requestBody" in operation:
            of_json = {"400", "415"} if "application/json" in operation["requestBody"]["content"] else set()
            assert {"413", "422", *of_json} <= set(operation["responses"])

    def test_its_links_lead_to_operations_with_their_parameters(self, name: str) -> None:
        by_id = {operation["operationId"]: operation for operation in OPERATIONS.values()}
        for status, answer in OPERATIONS[name]["responses"].items():
            for link in answer.get("links", {}).values():
                assert status.startswith("2")
                taken = {parameter["name"] for parameter in by_id[link["operationId"]]["parameters"]}
                assert set(link["parameters"]) <= taken

    def test_what_has_parameters_can_refuse_them(self, name: str) -> None:
        if OPERATIONS[name].get("parameters") or "requestBody" in OPERATIONS[name]:
            assert "422" in OPERATIONS[name]["responses"]


def test_a_link_leads_to_every_operation_of_one_thing() -> None:
    """What has an id in its address is reached from an answer that holds the id."""
    linked = {
        link["operationId"]
        for operation in OPERATIONS.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    addressed = {
        operation["operationId"] for name, operation in OPERATIONS.items() if "{" in name and "/problems/" not in name
    }
    creating = {"announceInbound", "putChannel", "putDraft"}
    mailed = {"getLinkedQuestion", "answerLinkedQuestion"}  # a customer's link stands in a mail, and in no answer
    posted = {"receiveWebhook"}  # a platform is given the address by a person
    assert addressed - linked == creating | mailed | posted


def test_every_domain_error_is_a_type_of_problem() -> None:
    def below(cls: type[DomError]) -> Iterator[type[DomError]]:
        for child in cls.__subclasses__():
            yield child
            yield from below(child)

    assert {cls.type for cls in below(DomError)} <= set(TYPES)


def test_writing_refuses_to_break_callers(tmp_path: Any) -> None:
    path = tmp_path / "openapi.json"
    assert openapi.main(["--to", str(path)]) == 0
    older = {**DOCUMENT, "paths": {**DOCUMENT["paths"], "/v1/gone": DOCUMENT["paths"]["/health/live"]}}
    path.write_text(json.dumps(older))
    assert openapi.main(["--to", str(path)]) == 1
    assert "/v1/gone" in path.read_text()
    assert openapi.main(["--to", str(path), "--allow-breaks"]) == 0
    assert json.loads(path.read_text()) == DOCUMENT


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
