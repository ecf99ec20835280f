"""Cursors lead back to where they came from, and nobody can make one up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.http import cursor
from dom.shared.errors import InvalidInput

MOMENTS = some.datetimes(timezones=some.just(UTC))


@given(MOMENTS, some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_position_comes_back_to_the_microsecond(at: datetime, row_id: str) -> None:
    assert cursor.decode_moment(cursor.encode(at, row_id)) == (at, row_id)


@given(some.text())
def test_anything_else_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        cursor.decode_moment(text)
    assert refused.value.field == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInput):
        cursor.decode_moment(cursor.encode("web-1-F1"))
    with pytest.raises(InvalidInput):
        cursor.decode(cursor.encode(datetime(2026, 1, 1, tzinfo=UTC), "web-1"), 1)
