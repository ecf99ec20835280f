"""Secrets in environment variables, as container platforms hand them over."""

import os
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "DOM_SECRET_"


class EnvironmentSecrets:
    """`DOM_SECRET_WEB_ACCESS_TOKEN` is the secret `access_token` of the channel `web`."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, owner: str, name: str) -> str | None:
        """The secret; None if there is none."""
        return self._environment.get(variable(owner, name)) or None


def variable(owner: str, name: str) -> str:
    """The environment variable that holds a secret."""
    return f"{PREFIX}{owner}_{name}".upper()
