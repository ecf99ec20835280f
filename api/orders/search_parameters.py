"""The order filter as parameters of a query."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

from fastapi import Query
from pydantic import ValidationError

from dom.orders.search_filter import Code, FilterDay, OrderFilter, OrderSort, Tag
from dom.orders.status import OrderStatus
from dom.shared.errors import InvalidInput
from dom.shared.input_words import in_words


def _query(name: str) -> Any:
    """The parameter, with the limits, description and examples of the filter's field."""
    field = OrderFilter.model_fields[name]
    repeatable = "tuple" in str(field.annotation)
    said = f"{field.description} Repeatable." if repeatable else field.description
    query = Query(description=said, examples=field.examples)
    query.metadata = [*query.metadata, *field.metadata]
    return query


@dataclass(frozen=True, slots=True)
class FilterParameters:
    """Each field of `OrderFilter`, as a query can hold it."""

    q: Annotated[str | None, _query("q")] = None
    channel: Annotated[list[Code] | None, _query("channel")] = None
    status: Annotated[list[OrderStatus] | None, _query("status")] = None
    customer: Annotated[str | None, _query("customer")] = None
    node: Annotated[list[Code] | None, _query("node")] = None
    sku: Annotated[str | None, _query("sku")] = None
    postal_code: Annotated[str | None, _query("postal_code")] = None
    tracking: Annotated[str | None, _query("tracking")] = None
    tag: Annotated[list[Tag] | None, _query("tag")] = None
    placed_from: Annotated[FilterDay | None, _query("placed_from")] = None
    placed_to: Annotated[FilterDay | None, _query("placed_to")] = None
    promise_from: Annotated[FilterDay | None, _query("promise_from")] = None
    promise_to: Annotated[FilterDay | None, _query("promise_to")] = None
    late: Annotated[bool | None, _query("late")] = None
    stuck: Annotated[bool | None, _query("stuck")] = None
    stuck_hours: Annotated[int | None, _query("stuck_hours")] = None
    waiting: Annotated[bool | None, _query("waiting")] = None
    held: Annotated[bool | None, _query("held")] = None
    sort: Annotated[OrderSort | None, _query("sort")] = None

    def filter(self) -> OrderFilter:
        """The filter they make. Raises InvalidInput for text that cannot be kept."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        lists = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        try:
            return OrderFilter.model_validate(lists)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InvalidInput(in_words(first), field=str(first["loc"][0]) if first["loc"] else None) from error
