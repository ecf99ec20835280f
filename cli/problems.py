"""Problems of a start, as the commands know them."""

from bootstrap.problems import StartProblem

__all__ = ["StartProblem"]
