"""Lists whose items stand each for itself: one that cannot be read is refused by itself, and the others are taken."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from api.http import failures, problems
from api.http.problems import FieldError, Problem
from dom.shared import json_text
from dom.shared.input_words import in_words
from dom.shared.texts import escaped
from store.enums import ItemOutcome

Item = TypeVar("Item")


class _Readable(tuple[Any, ...]):
    """The items that can be read; `at` is where each stood. Of the others, by their index: `given`, as it came, and
    what is `wrong`.
    """

    at: tuple[int, ...]
    given: Mapping[int, Any]
    wrong: Mapping[int, list[ErrorDetails]]


def _each_for_itself(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        wrong: dict[int, list[ErrorDetails]] = {}
        for each in error.errors(include_url=False):
            if not each["loc"] or not isinstance(each["loc"][0], int):
                raise
            wrong.setdefault(each["loc"][0], []).append(each)
        at = tuple(index for index in range(len(value)) if index not in wrong)
        if not at:
            raise
        validate([value[at[0]]] * len(value))  # pydantic counts only what it could read: too many is too many
        items = _Readable(validate([value[index] for index in at]))
        items.at, items.wrong, items.given = at, wrong, {index: value[index] for index in wrong}
        return items


EACH_FOR_ITSELF: Final = WrapValidator(_each_for_itself)
"""Of a list: items that are wrong in form are set aside. Nothing is, and the list is refused, if all of them are."""


def _without_nul(item: Any) -> Any:
    if (path := json_text.nul(item)) is None:
        return item
    where = tuple(escaped(part) if isinstance(part, str) else part for part in path)
    error = PydanticCustomError("value_error", json_text.NO_NUL)
    raise ValidationError.from_exception_data("item", [InitErrorDetails(type=error, loc=where, input=None)])


WITHOUT_NUL: Final = BeforeValidator(_without_nul)
"""Of an item of such a list; any other body with the NUL character is refused whole (`api.http.requests`)."""


def lists_of(body: Any) -> frozenset[str]:
    """The fields of a body's model that are such lists."""
    fields: Mapping[str, FieldInfo] = getattr(body, "model_fields", {})
    return frozenset(name for name, field in fields.items() if EACH_FOR_ITSELF in field.metadata)


def readable(items: Sequence[Item]) -> dict[int, Item]:
    """The items of a list that can be read, by where they stood."""
    at = items.at if isinstance(items, _Readable) else range(len(items))
    return dict(zip(at, items, strict=True))


def refused(
    items: Sequence[Any], name: str, named: Callable[[Any], Mapping[str, Any]] = lambda _: {}
) -> dict[int, dict[str, Any]]:
    """The answers to the other items of the list of that name, by where they stood. `named` is what an answer repeats
    of an item as it came.
    """
    if not isinstance(items, _Readable):
        return {}
    return {
        index: {
            "index": index,
            **named(items.given[index]),
            "status": ItemOutcome.REFUSED,
            "problem": problems.as_dict(_problem(errors, f"{name}[{index}]")),
        }
        for index, errors in items.wrong.items()
    }


def _problem(errors: Sequence[ErrorDetails], item: str) -> Problem:
    def field(location: Sequence[str | int]) -> str:
        path = failures.json_path(location[1:]) if location[1:] else ""
        return f"{item}.{path}" if path else item

    found = [FieldError(field=field(each["loc"]), detail=in_words(each)) for each in errors]
    detail = "; ".join(f"{each.field}: {each.detail}" for each in found)
    return problems.of(problems.INVALID, detail, field=found[0].field)


MAX_ITEMS: Final = 1000
"""Items of one list at most."""


Items = Annotated[tuple[Annotated[Item, WITHOUT_NUL], ...], Field(min_length=1, max_length=MAX_ITEMS), EACH_FOR_ITSELF]
"""What is sent many at once, each for itself."""
