"""What is wrong with a field of the input, as people are told: pydantic says it in the words of Python."""

from collections.abc import Mapping
from typing import Any, Final

_WORDS: Final[Mapping[str, str]] = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "none_required": "leave it out, or give null",
    "string_type": "give a text",
    "string_too_long": "give at most {max_length} characters",
    "string_pattern_mismatch": "it does not have the form {pattern}",
    "int_type": "give an integer",
    "int_parsing": "give an integer",
    "int_parsing_size": "give a smaller integer",
    "int_from_float": "give an integer",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "list_type": "give a list",
    "tuple_type": "give a list",
    "dict_type": "give an object with names and values",
    "model_type": "give an object with names and values",
    "model_attributes_type": "give an object with names and values",
    "greater_than": "give more than {gt}",
    "greater_than_equal": "give {ge} or more",
    "less_than": "give less than {lt}",
    "less_than_equal": "give {le} or less",
    "enum": "give one of {expected}",
    "literal_error": "give {expected}",
    "union_tag_invalid": "{discriminator} is one of {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing",
    "too_long": "give at most {max_length} of them",
}
"""By the type of the error, with what its context says. Others say it well enough themselves."""


def in_words(error: Mapping[str, Any]) -> str:
    """What is wrong, of an error as `ValidationError.errors` gives it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing" and tuple(error["loc"]) == ("body",):
        return "send a JSON body"
    if kind in {"string_too_short", "too_short"}:
        return _too_short(kind, context)
    words = _WORDS.get(kind)
    return str(error["msg"]).removeprefix("Value error, ") if words is None else words.format(**context)


def _too_short(kind: str, context: Mapping[str, Any]) -> str:
    least = context["min_length"]
    if least == 1:
        return "it may not be empty"
    return f"give at least {least} {'characters' if kind == 'string_too_short' else 'of them'}"
