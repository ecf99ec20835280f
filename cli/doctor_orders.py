"""What `dom doctor` says of orders and their processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.finding import CheckVerdict, DoctorFinding

if TYPE_CHECKING:
    from cli.folder import DataFolder
    from settings import Settings


def processes(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """Whether every open order has its process; nothing, where no database and no Temporal server is there to ask."""
    from cli.orders_commands import compared_with_temporal

    found = compared_with_temporal(settings, folder).found
    if found is None:  # who is away has a finding of its own
        return
    words = found.in_words
    if found.faults:
        words += ". `dom orders check` names them, `dom orders revive --all` starts them anew where the store stands"
    verdict = CheckVerdict.BLOCKS if found.faults else CheckVerdict.NOTE if found.unasked else CheckVerdict.FINE
    yield DoctorFinding("processes", verdict, words)
