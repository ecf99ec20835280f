"""Every scalar of every input is what it looks like: no number is a time, `true` is no number, no key stands twice."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated, Any, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import api
from api.delivery.models import CarrierEvents
from api.http.requests import query_fields
from dom.delivery.tariffs import Tariff
from dom.orders import calls, return_calls
from dom.shared import json_text
from dom.shared.base import TimeOfDay, Utc, Value
from dom.sourcing.policy.document import Policy
from store.enums import ImportKind
from store.imports.rows import CountRow, DeltaRow, Format, Rows
from workflows import messages

NO_TIMES = (0, 1, 1.0, True, 20261129, "20261129", "1764381600000", "0")
WRONG = {
    "integer": (True, False, 1.0, "1"),
    "number": (True, "1"),
    "boolean": (0, 1, "true", "yes", 1.0),
    "string": ("a\0b",),
}
CORRECTED = {"Destination.region", "Destination.postal_code", "OrderRequest.tags"}
"""Fields whose text is corrected before it is checked, as orders are; the API refuses the NUL character before that."""

OF_SEVERAL_KINDS = {"Connection.settings"}
"""Fields whose values are texts, whole numbers or truth values; the connector's own model says which one is what."""


@pytest.fixture(scope="module")
def endpoints() -> list[APIRoute]:
    """Every endpoint of every router there is."""
    modules = [import_module(each.name) for each in walk_packages(api.__path__, "api.") if each.name.endswith("routes")]
    return [route for module in modules for route in module.router.routes if isinstance(route, APIRoute)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model an annotation holds, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for part in get_args(annotation):
        yield from _models(part)


def _wrong(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that look like what a field takes, and are not."""
    for choice in schema.get("anyOf", ()):
        yield from _wrong(choice)
    kind = schema.get("type")
    if kind == "string" and (schema.get("format") in {"date-time", "date"} or "[0-5]" in schema.get("pattern", "")):
        yield from NO_TIMES
    elif kind == "array":
        yield from ([each] for each in _wrong(schema.get("items", {})))
    elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        key = (schema.get("propertyNames", {}).get("enum") or ["standard"])[0]
        yield from ({key: each} for each in _wrong(schema["additionalProperties"]))
    elif isinstance(kind, str):
        yield from WRONG.get(kind, ())


def _taken(model: type[BaseModel]) -> Iterator[str]:
    """The wrong values a model's fields take, as a list of complaints."""
    for name, schema in model.model_json_schema()["properties"].items():
        for value in _wrong(schema):
            for document in ({name: value}, json.dumps({name: value})):
                try:
                    if isinstance(document, str):
                        model.model_validate_json(document)
                    else:
                        model.model_validate(document)
                except ValidationError as error:
                    if any(each["loc"] and each["loc"][0] == name for each in error.errors()):
                        continue
                if f"{model.__name__}.{name}" in CORRECTED and "x00" in repr(value):
                    continue
                if f"{model.__name__}.{name}" in OF_SEVERAL_KINDS and not _is_other(value):
                    continue
                yield f"{model.__name__}.{name} takes {value!r}"


def _is_other(values: dict[str, Any]) -> bool:
    """Whether one of the values is no text that can be kept, whole number or truth value."""
    return any(not isinstance(each, str | int) or "\0" in str(each) for each in values.values())


class TestEveryField:
    def test_of_every_body_the_api_takes_is_strict(self, endpoints: list[APIRoute]) -> None:
        bodies = [route.body_field.field_info.annotation for route in endpoints if route.body_field is not None]
        models = {model for body in bodies for model in _models(body)}
        assert len(models) > 30, "the walk has lost its way"
        assert [said for model in sorted(models, key=str) for said in _taken(model)] == []

    def test_of_what_files_policies_and_messages_hold_is_strict(self) -> None:
        said = [each for module in (messages, calls, return_calls) for each in vars(module).values()]
        told = [each for each in said if isinstance(each, type) and issubclass(each, Value)]
        models = {model for root in (CountRow, DeltaRow, Policy, Tariff, *told) for model in _models(root)}
        assert [said for model in sorted(models, key=str) for said in _taken(model) if model is not Value] == []

    def test_of_a_model_made_from_now_on_is_strict(self) -> None:
        class Later(Value):
            units: int = 0
            days: tuple[int, ...] = ()
            by_name: dict[str, int] = Field(default={})
            sure: bool = False
            name: str = ""
            said: dict[str, str] = Field(default={})
            at: datetime | None = None
            since: Utc | None = None
            closes: TimeOfDay | None = None

        assert list(_taken(Later)) == []

    def test_is_checked_once_however_often_its_model_is_used(self) -> None:
        class Used(Value):
            at: datetime | None = None
            day: date | None = None
            closes: TimeOfDay | None = None
            by_name: dict[str, tuple[datetime, ...]] = Field(default={})
            said: tuple[str, ...] = ()

        once = repr(Used.__pydantic_core_schema__)
        for title in ("one", "two"):
            TypeAdapter(Annotated[Used, Field(title=title)])
        assert repr(Used.__pydantic_core_schema__) == once

    @pytest.mark.parametrize("said", [{"name": "\ud800"}, {"by_name": {"\udc00": "x"}}, {"by_name": {"x\0": "x"}}])
    def test_of_text_is_such_as_can_be_kept(self, said: dict[str, Any]) -> None:
        class Said(Value):
            name: str = ""
            by_name: dict[str, str] = Field(default={})

        assert Said(name="Zoë\n\u200b\U0001f600").name == "Zoë\n\u200b\U0001f600"
        with pytest.raises(ValidationError, match="cannot be kept"):
            Said.model_validate(said)

    def test_no_query_parameter_reads_a_number_as_a_time(self, endpoints: list[APIRoute]) -> None:
        times = 0
        for route in endpoints:
            for field in query_fields(route.dependant):
                if "date" not in str(field.field_info.annotation):
                    continue
                times += 1
                for value in ("20261129", "1764381600000", "0"):
                    _, errors = field.validate(value, {}, loc=("query", field.alias))
                    assert errors, f"{route.path} {field.alias} takes {value}"
        assert times >= 2


class TestWhatPydanticWrote:
    @pytest.mark.parametrize(
        "example",
        [
            calls.CancelCall(occurred_at=datetime(2026, 3, 2, 9, 26, 0, 123, tzinfo=UTC)),
            messages.OrderResult(order_id="a", status="delivered", fulfilments=1, finished_at=datetime(2026, 1, 1)),  # noqa: DTZ001
        ],
    )
    def test_is_read_again(self, example: Value) -> None:
        assert type(example).model_validate_json(example.model_dump_json()) == example
        assert type(example).model_validate(example.model_dump(mode="json")) == example
        assert type(example).model_validate(example.model_dump()) == example


class TestATime:
    @pytest.mark.parametrize(
        "text",
        ["2026-03-02T09:26:00Z", "2026-03-02t09:26:00.5z", "2026-03-02 09:26:00+01:00", "2026-03-02T09:26:00.123456Z"],
    )
    def test_is_taken_as_rfc_3339_writes_it(self, text: str) -> None:
        assert calls.CancelCall.model_validate({"occurred_at": text}).occurred_at is not None

    @pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02T09:26:00", "09:26", "2026-03-02T09:26:00Z\n", ""])
    def test_is_refused_without_its_offset_or_day(self, text: str) -> None:
        with pytest.raises(ValidationError):
            calls.CancelCall.model_validate({"occurred_at": text})


class TestFiles:
    def test_read_no_number_as_a_time_and_no_text_as_a_number(self) -> None:
        csv = Rows(ImportKind.COUNTS, Format.CSV)
        lines = [b"node_id,sku,quantity,as_of", b"a,B,4,20261129", b"a,B,4,1764381600000", b"a,B,4.0,", b"a,B,1_000,"]
        assert [row.field for row in csv.staged(lines)] == ["as_of", "as_of", "quantity", "quantity"]
        good = csv.staged([b"a,B, 4 ,2026-03-02T09:26:00Z"])[0]
        assert (good.quantity, good.outcome) == (4, None)

    def test_of_json_lines_say_each_thing_once(self) -> None:
        lines = [
            b'{"node_id": "a", "sku": "B", "quantity": 1, "quantity": 7}',
            b'{"node_id": "a", "sku": "B", "quantity" : 1, "quantity" : 7, "as_of": "2026-03-02T09:26:00Z"}',
            b'{"node_id": "a", "sku": "B", "quantity": true}',
            b'{"node_id": "a", "sku": "B", "quantity": 7}',
        ]
        rows = Rows(ImportKind.COUNTS, Format.JSONL).staged(lines)
        assert [(row.field, row.quantity) for row in rows] == [
            ("quantity", None), ("quantity", None), ("quantity", None), (None, 7),
        ]  # fmt: skip


class TestAKeyThatStandsTwice:
    def test_is_named_with_its_path(self) -> None:
        with pytest.raises(json_text.KeyTwice, match="quantity") as refused:
            json_text.read('{"lines": [{"quantity": 1}, {"quantity": 1, "quantity": 7}]}')
        assert refused.value.path == ("lines", 1, "quantity")

    def test_is_found_where_it_is_lost_again(self) -> None:
        with pytest.raises(json_text.KeyTwice):
            json_text.read('{"a": {"b": 1, "b": 2}, "a": 3}')

    def test_is_no_matter_in_two_objects(self) -> None:
        assert json_text.read('[{"a": 1}, {"a": 2}]') == [{"a": 1}, {"a": 2}]

    def test_no_number_that_is_none_is_read(self) -> None:
        with pytest.raises(json.JSONDecodeError):
            json_text.read('{"a": NaN}')


class TestKeysOfJson:
    def test_a_number_that_is_a_key_is_read_back_from_json(self) -> None:
        class Counted(Value):
            versions: dict[int, int]

        kept = json.loads(Counted(versions={1: 7}).model_dump_json())
        assert Counted.model_validate(kept).versions == {1: 7}
        with pytest.raises(ValidationError):
            Counted.model_validate({"versions": {"1": "7"}})
        with pytest.raises(ValidationError):
            Counted.model_validate({"versions": {"one": 7}})


class TestTooMany:
    def test_items_are_too_many_though_some_of_them_cannot_be_read(self) -> None:
        scan = {"event_id": "1", "tracking_number": "T", "kind": "lost", "occurred_at": "2026-03-02T09:26:00Z"}
        with pytest.raises(ValidationError, match="at most 1000"):
            CarrierEvents.model_validate({"events": [scan] * 999 + [{}, {}]})
        assert len(CarrierEvents.model_validate({"events": [scan] * 998 + [{}, {}]}).events) == 998
