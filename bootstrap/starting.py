"""How the processes of the system begin: settings, and what stands in the way as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from pydantic import ValidationError

from bootstrap.problems import StartProblem
from logs import configure_logging
from settings import ENV_PREFIX, Settings

_log = structlog.get_logger("dom")


def load() -> Settings:
    """The settings of this process's environment; address and namespace of Temporal also from `TEMPORAL_*`.

    Raises pydantic.ValidationError that names the wrong one, and StartProblem for `TEMPORAL_*` that cannot be read.
    """
    from bootstrap import profile  # brings the SDK along, which a process that only prints its help does not need

    own = Settings()
    if not own.temporal_env:
        return own
    found = profile.read(os.environ)
    theirs = {"temporal_address": found.address, "temporal_namespace": found.namespace}
    ours = {name for name in own.model_fields_set if getattr(own, name)}
    chosen = {name: value for name, value in theirs.items() if value and name not in ours}
    return own.model_copy(update=chosen)


def load_settings() -> Settings:
    """The settings of this environment; raises StartProblem that names the wrong variable."""
    try:
        return load()
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
