"""How Temporal is reached, as the environment says it for every Temporal program: `TEMPORAL_*`, and profiles in TOML.

The SDK's own `temporalio.envconfig` reads them. A profile file is read only when `TEMPORAL_PROFILE` or
`TEMPORAL_CONFIG_FILE` names one: the file in the user's home may belong to another project, and an address or a key of
that project must not reach our process unasked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from temporalio.envconfig import ClientConfig, ClientConfigProfile

from bootstrap.problems import StartProblem

PROFILE: Final = "TEMPORAL_PROFILE"
FILE: Final = "TEMPORAL_CONFIG_FILE"
TLS: Final = "TEMPORAL_TLS"
_PREFIX: Final = "TEMPORAL_"
_DEFAULT_PROFILE: Final = "default"
_SWITCH: Final = {"true", "false", "1", "0"}


def read(environment: Mapping[str, str]) -> ClientConfigProfile:
    """The profile that is named, with what single variables say put over it; an empty variable counts as not set.

    Raises StartProblem for a file, a profile or a value that cannot be read.
    """
    given = {name: value for name, value in environment.items() if value or not name.startswith(_PREFIX)}
    if given.get(TLS, "true").lower() not in _SWITCH:
        raise StartProblem(f"{TLS} is {given[TLS]!r}", "set it to true or false")
    _require_file(given)
    named = PROFILE in given or FILE in given
    try:
        if named:
            _require_profile(given)
        return ClientConfigProfile.load(
            profile=given.get(PROFILE), disable_file=not named, override_env_vars=given, config_file_strict=True
        )
    except RuntimeError as error:  # the SDK's ConfigError
        reason = str(error).partition("\n")[0]  # the lines after it quote the file, and with it perhaps a key
        raise StartProblem(
            f"the Temporal settings of the environment cannot be used ({reason})",
            f"correct the variables TEMPORAL_*, or the file that {FILE} names",
        ) from error


def options(profile: ClientConfigProfile) -> dict[str, Any]:
    """The profile as arguments of `Client.connect`; certificates are read. Raises StartProblem for a missing file."""
    try:
        return {**profile.to_client_connect_config()}
    except OSError as error:
        raise StartProblem(
            f"the Temporal certificate or key {error.filename} cannot be read ({error.strerror})",
            "correct TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_CLIENT_CERT_PATH or TEMPORAL_TLS_CLIENT_KEY_PATH",
        ) from error


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that talks to our own open server, whatever `TEMPORAL_*` says of others."""
    return {name: value for name, value in environment.items() if not name.startswith(_PREFIX)}


def _require_file(given: Mapping[str, str]) -> None:
    if FILE in given and not Path(given[FILE]).is_file():
        raise StartProblem(f"{FILE} names {given[FILE]}, which is no file", "correct or unset it")


def _require_profile(given: Mapping[str, str]) -> None:
    wanted = given.get(PROFILE, _DEFAULT_PROFILE)
    known = sorted(ClientConfig.load(override_env_vars=given).profiles)
    if wanted not in known:
        raise StartProblem(
            f"there is no Temporal profile {wanted!r}; the file has {', '.join(known) or 'none'}",
            f"correct {PROFILE}, or {FILE}",
        )
