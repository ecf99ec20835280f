"""From settings to the folder that they name."""

from collections.abc import Mapping
from pathlib import Path

from connectors.channels.files.folder import Folder, LocalFolder
from connectors.channels.files.settings import DropSettings
from connectors.channels.files.sftp import SftpFolder


def open_folder(settings: DropSettings, secrets: Mapping[str, str]) -> Folder:
    """The folder; a server is reached with the first call."""
    if settings.is_remote:
        return SftpFolder(settings.server, settings.host_key, secrets)
    return LocalFolder(Path(settings.folder))
