"""Where credentials of other systems are read from: the environment first, then a folder."""

from pathlib import Path
from typing import Final

from connectors.secrets.environment import EnvironmentSecrets
from connectors.secrets.folder import FolderSecrets
from connectors.secrets.port import Chain, SecretStore

__all__ = ["NO_SECRETS", "SecretStore", "forget", "keep", "secret_store"]

NO_SECRETS: Final[SecretStore] = Chain(())
"""A store without any."""


def secret_store(folder: Path) -> SecretStore:
    """The secrets of this installation."""
    return Chain([EnvironmentSecrets(), FolderSecrets(folder)])


def keep(folder: Path, owner: str, name: str, secret: str) -> Path:
    """Keep a secret in the folder; answers where. Raises ValueError for a name that is none."""
    return FolderSecrets(folder).put(owner, name, secret)


def forget(folder: Path, owner: str, name: str) -> bool:
    """Take a secret away from the folder; False if there was none."""
    return FolderSecrets(folder).forget(owner, name)
