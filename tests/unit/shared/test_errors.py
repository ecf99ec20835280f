"""The tree of errors is a contract: stable types, statuses, and nothing hidden behind them."""

import re
from collections.abc import Iterator

import pytest

from dom.shared import errors
from dom.shared.errors import Conflict, DomError, InvalidInput, by_type

CONTRACT = {
    "error": 500,
    "invalid-input": 422,
    "unknown-sku": 422,
    "unknown-node": 422,
    "policy-invalid": 422,
    "mapping-invalid": 422,
    "not-found": 404,
    "conflict": 409,
    "order-conflict": 409,
    "cannot-cancel": 409,
    "step-not-possible": 409,
    "on-hold": 409,
    "code-required": 422,
    "wrong-code": 409,
    "collection-locked": 409,
    "question-ended": 409,
    "cannot-change": 409,
    "nothing-to-return": 409,
    "not-available": 409,
    "reservation-ended": 409,
    "stock-conflict": 409,
    "stale": 409,
    "no-process": 503,
    "unknown-channel": 422,
    "outside-failure": 502,
    "bad-signature": 401,
    "forbidden": 403,
}


def everyone(cls: type[DomError] = DomError) -> Iterator[type[DomError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from everyone(child)


class TestContract:
    def test_types_and_statuses_stay(self) -> None:
        """A type that callers know keeps its meaning; a new one is added here with its status."""
        assert {each.type: each.status for each in everyone()} == CONTRACT

    def test_no_two_errors_share_a_type(self) -> None:
        types = [each.type for each in everyone()]
        assert len(types) == len(set(types))

    @pytest.mark.parametrize("error", list(everyone()), ids=lambda error: error.type)
    def test_each_can_be_put_in_a_link_and_read(self, error: type[DomError]) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.type)
        assert error.title[0].isupper()
        assert error.__doc__

    @pytest.mark.parametrize("error", list(everyone()), ids=lambda error: error.type)
    def test_each_is_found_by_its_type(self, error: type[DomError]) -> None:
        assert by_type(error.type) is error

    @pytest.mark.parametrize("foreign", [None, "", "ValueError", "OrderConflict", "timeout"])
    def test_a_foreign_type_is_nobodys(self, foreign: str | None) -> None:
        assert by_type(foreign) is None

    def test_the_tree_in_the_docstring_is_the_tree(self) -> None:
        named = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
        assert sorted(named) == sorted(each.__name__ for each in everyone() if each is not DomError)

    def test_children_answer_as_their_parents_do(self) -> None:
        for parent in (InvalidInput, Conflict):
            assert {each.status for each in everyone(parent)} == {parent.status}


class TestDomError:
    def test_carries_text_field_and_data(self) -> None:
        error = InvalidInput("too long", field="lines[0].sku", data={"most": 64})
        assert (str(error), error.detail, error.field, error.data) == (
            "too long",
            "too long",
            "lines[0].sku",
            {"most": 64},
        )

    def test_two_errors_do_not_share_their_data(self) -> None:
        one, other = DomError("one"), DomError("other")
        one.data["seen"] = True
        assert other.data == {}
