"""What interchanges of both standards share."""

import pytest

from connectors.channels.edi.interchange import moment


@pytest.mark.parametrize(
    ("date", "time", "meant"),
    [
        ("20260302", "1200", "2026-03-02T12:00:00+00:00"),
        ("20260302", "120005", "2026-03-02T12:00:05+00:00"),
        ("260302", "1200", "2026-03-02T12:00:00+00:00"),
        ("260302", "120005", "2026-03-02T12:00:05+00:00"),
        ("261302", "1200", ""),
        ("2603", "1200", ""),
        ("260302", "", ""),
        ("", "", ""),
    ],
)
def test_a_time_is_read_by_the_length_of_its_parts(date: str, time: str, meant: str) -> None:
    assert moment(date, time) == meant
