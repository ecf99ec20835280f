"""What the system asks of a secret store."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


class SecretStore(Protocol):
    """Holds credentials of other systems by owner (a channel's id) and name."""

    def get(self, owner: str, name: str) -> str | None:
        """The secret; None if there is none. Raises SecretUnsafeError for one that others can read."""


class SecretUnsafeError(Exception):
    """A secret is kept where others can read it, and is not used."""


class Chain:
    """Several stores: the first that has a secret counts."""

    def __init__(self, stores: Sequence[SecretStore]) -> None:
        self._stores = tuple(stores)

    def get(self, owner: str, name: str) -> str | None:
        """The secret of the first store that has it. Raises SecretUnsafeError."""
        return next((found for store in self._stores if (found := store.get(owner, name)) is not None), None)


def all_of(store: SecretStore, owner: str, names: Sequence[str]) -> Mapping[str, str]:
    """Those of the named secrets that there are. Raises SecretUnsafeError."""
    found = {name: store.get(owner, name) for name in names}
    return {name: secret for name, secret in found.items() if secret}
