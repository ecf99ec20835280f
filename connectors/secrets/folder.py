"""Secrets as files of a folder, one each, readable by their owner alone: `web/access_token`."""

import os
import stat
from pathlib import Path
from typing import Final

from connectors.secrets.port import NAME, SecretUnsafeError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class FolderSecrets:
    """A file with mode 0600 for each secret. One that a group or everybody can read is refused, as OpenSSH does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, owner: str, name: str) -> str | None:
        """The secret without the line's end; None if there is none. Raises SecretUnsafeError."""
        if not _is_path(owner, name):
            return None  # none can be kept under it
        path = self._path(owner, name)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read()
        except FileNotFoundError:
            return None
        if os.name == "posix" and mode & _OTHERS:
            raise SecretUnsafeError(f"others can read {path}: its mode is {mode & 0o777:o}; make it 600")
        return text.decode().strip("\r\n") or None

    def put(self, owner: str, name: str, secret: str) -> Path:
        """Keep a secret in place of the one there was; answers where."""
        path = self._path(owner, name)
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        fresh = path.with_name(f".{name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE), "w") as file:
            file.write(secret)
        fresh.replace(path)
        return path

    def forget(self, owner: str, name: str) -> bool:
        """Take a secret away; False if there was none."""
        try:
            self._path(owner, name).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, owner: str, name: str) -> Path:
        if not _is_path(owner, name):
            raise ValueError(f"{owner}/{name} is no name of a secret: small letters, digits and _")
        return self._folder / owner / name


def _is_path(owner: str, name: str) -> bool:
    return NAME.fullmatch(owner) is not None and NAME.fullmatch(name) is not None
