"""How the processes of the system begin: settings, and what stands in the way as one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from pydantic import ValidationError

import settings
from bootstrap.problems import StartProblem
from logs import configure_logging
from settings import ENV_PREFIX, Settings

_log = structlog.get_logger("dom")


def load_settings() -> Settings:
    """The settings of this environment; raises StartProblem that names the wrong variable."""
    try:
        return settings.load()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ENV_PREFIX + str(first["loc"][0]).upper()
        raise StartProblem(f"the setting {name} is wrong: {first['msg']}", "correct it or unset it") from error


@contextmanager
def process() -> Iterator[Settings]:
    """The settings of a process, its log set up. A StartProblem ends it with one line and exit code 1."""
    as_json = False
    try:
        loaded = load_settings()
        as_json = loaded.log_json
        configure_logging(loaded.log_level, as_json=as_json)
        yield loaded
    except StartProblem as problem:
        if as_json:
            _log.critical("cannot start", what=problem.what, what_to_do=problem.what_to_do)
        else:
            sys.stderr.write(f"dom: {problem}\n")
        raise SystemExit(1) from None
