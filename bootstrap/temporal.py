"""The Temporal client as every process makes it: open or by TLS, with a client certificate or an API key."""

from __future__ import annotations

import atexit
import os
import time
from functools import cache
from typing import Any, Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RetryConfig, RPCError

from bootstrap import diagnosis, profile, refusals
from bootstrap.problems import StartProblem
from settings import Settings

_REST_SECONDS: Final = 0.5


def options(settings: Settings) -> dict[str, Any]:
    """Arguments of `Client.connect`; raises StartProblem for `TEMPORAL_*` that cannot be read.

    Address and namespace are those of the settings, which took them from `TEMPORAL_*` where `DOM_*` names none.
    """
    found = profile.options(profile.read(os.environ)) if settings.temporal_env else {}
    return {**found, "target_host": settings.temporal_address, "namespace": settings.temporal_namespace}


@cache
def _pause_at_exit() -> None:
    """Let the SDK's threads come to rest before the interpreter ends: one that still holds it then aborts the process,
    with exit code -6 for a command that went well.
    """
    atexit.register(time.sleep, _REST_SECONDS)


async def connect(settings: Settings, *, lazy: bool = False, retry_config: RetryConfig | None = None) -> Client:
    """A client. Raises StartProblem that says in words why there is none; a lazy one connects with its first call."""
    _pause_at_exit()
    wanted = options(settings)
    try:
        return await Client.connect(
            **wanted, data_converter=pydantic_data_converter, retry_config=retry_config, lazy=lazy
        )
    except RPCError as error:
        raise refused(settings.temporal_address, settings.temporal_namespace, error) from error
    except (RuntimeError, ValueError) as error:  # the SDK raises no other class for a connection that fails
        raise await diagnosis.problem(wanted, str(error)) from error


def refused(address: str, namespace: str, error: RPCError) -> StartProblem:
    """What the server's refusal means to the one who starts."""
    if refusals.is_about_namespace(error):
        return StartProblem(
            f"the Temporal server at {address} has no namespace {namespace} to work in",
            "run `dom prepare`, which makes it, or correct DOM_TEMPORAL_NAMESPACE",
        )
    if error.status in refusals.LOCKED_OUT:
        return StartProblem(
            f"the Temporal server at {address} does not let us into namespace {namespace} ({error.message})",
            "correct TEMPORAL_API_KEY or the client certificate, or have its rights widened",
        )
    return StartProblem(
        f"the Temporal server at {address} failed ({error.status.name}: {error.message})",
        "try again; if it stays, look at that server's log",
    )
