"""From settings to the folder that they name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.channels.files import sftp
from connectors.channels.files.folder import Folder, LocalFolder
from connectors.channels.files.settings import DropSettings
from connectors.channels.files.sftp import SftpFolder
from connectors.notifications.port import TemporaryFailureError

SECRETS = (sftp.PASSWORD, sftp.PRIVATE_KEY, sftp.PASSPHRASE)
"""Names of the secrets with which one logs in to a server: a password, or a private key."""


def open_folder(settings: DropSettings, secrets: Mapping[str, str]) -> Folder:
    """The folder; a server is reached with the first call."""
    if settings.is_remote:
        return SftpFolder(settings.server, settings.host_key, secrets)
    return LocalFolder(Path(settings.folder))


@contextmanager
def reaching(what: object) -> Iterator[None]:
    """Turns what an operating system says (no such folder, no room, not allowed) into TemporaryFailureError: once it is
    mended, it goes on by itself.
    """
    try:
        yield
    except OSError as error:
        raise TemporaryFailureError(f"{what}: {error}") from error
