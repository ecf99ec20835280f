"""From settings to the folder that they name."""

from collections.abc import Mapping
from pathlib import Path

from connectors.channels.files import sftp
from connectors.channels.files.folder import Folder, LocalFolder
from connectors.channels.files.settings import DropSettings
from connectors.channels.files.sftp import SftpFolder

SECRETS = (sftp.PASSWORD, sftp.PRIVATE_KEY, sftp.PASSPHRASE)
"""Names of the secrets with which one logs in to a server: a password, or a private key."""


def open_folder(settings: DropSettings, secrets: Mapping[str, str]) -> Folder:
    """The folder; a server is reached with the first call."""
    if settings.is_remote:
        return SftpFolder(settings.server, settings.host_key, secrets)
    return LocalFolder(Path(settings.folder))
