"""What is wrong with a field is said in words that need no Python."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from dom.shared.base import Utc, Value
from dom.shared.input_words import in_words


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(Value):
    text: str = "x"


class Body(Value):
    needed: int = 1
    short: Annotated[str, Field(min_length=1, max_length=3)] = "x"
    long: Annotated[str, Field(min_length=5)] = "xxxxx"
    code: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "XX"
    items: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    units: Annotated[int, Field(ge=1, lt=10)] = 1
    share: float = 0.5
    flag: bool = True
    colour: Colour = Colour.RED
    only: Literal["a", "b"] = "a"
    inner: Inner = Inner()
    names: dict[str, int] | None = None
    at: Utc | None = None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"other": 1}, "there is no such field"),
        ({"needed": "7"}, "give an integer"),
        ({"needed": 1.5}, "give an integer"),
        ({"short": ""}, "it may not be empty"),
        ({"short": "abcd"}, "give at most 3 characters"),
        ({"short": 7}, "give a text"),
        ({"long": "abc"}, "give at least 5 characters"),
        ({"code": "x"}, "it does not have the form ^[A-Z]{2}$"),
        ({"items": []}, "it may not be empty"),
        ({"items": [1, 2, 3]}, "give at most 2 of them"),
        ({"items": 1}, "give a list"),
        ({"units": 0}, "give 1 or more"),
        ({"units": 10}, "give less than 10"),
        ({"share": "x"}, "give a number"),
        ({"flag": 1}, "give true or false"),
        ({"colour": "green"}, "give one of 'red' or 'blue'"),
        ({"only": "c"}, "give 'a' or 'b'"),
        ({"inner": 3}, "give an object with names and values"),
        ({"names": 3}, "give an object with names and values"),
        ({"at": "yesterday"}, "give a time with its offset as RFC 3339 writes it, such as 2026-03-02T09:26:00Z"),
    ],
)
def test_plainly(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate(given)
    assert in_words(refused.value.errors()[0]) == words


@pytest.mark.parametrize(("where", "words"), [(("body",), "send a JSON body"), (("query", "sku"), "it is missing")])
def test_what_is_missing(where: tuple[str, ...], words: str) -> None:
    assert in_words({"type": "missing", "loc": where, "msg": "Field required"}) == words
