"""What a background job is."""

from typing import Protocol, runtime_checkable


class Job(Protocol):
    """Work that must happen by itself. Whatever it does it can do again: it is stopped wherever it stands.

    `every` is the pause in seconds between two runs when there is nothing to do.
    """

    @property
    def name(self) -> str:
        """What the log calls it: the name of its module."""

    @property
    def every(self) -> float:
        """Seconds between runs when there is nothing to do."""

    async def run(self) -> bool:
        """Do what there is to do; True if there is more, to be run again at once."""


@runtime_checkable
class WokenJob(Job, Protocol):
    """A job that runs when PostgreSQL is notified that there is something to do, and `every` so often besides."""

    @property
    def woken_by(self) -> str:
        """The channel that is notified."""
