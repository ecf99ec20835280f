"""Where callers of the API may point a channel: not at what the machine or the channel's credentials would give away.

Whoever works on the machine may do all of this with `dom channels connect`.
"""

from collections.abc import Mapping
from pathlib import Path

from connectors.channels.registry import serving
from connectors.secrets.port import SecretStore, SecretUnsafeError, all_of
from dom.channels.connection import Connection
from dom.shared.errors import Conflict, InvalidInput
from store.connections.connections import KeptConnection


def must_be_below(folder: Path, wanted: Connection) -> None:
    """Raises InvalidInput for a folder of this machine that is not below the one where channels' files are: whoever may
    connect a channel is not to read all that a worker can.
    """
    for name in ("folder", "state_folder"):
        given = wanted.settings.get(name)
        if not isinstance(given, str) or given.startswith("sftp://"):
            continue
        if not Path(given).resolve().is_relative_to(folder.resolve()):
            said = f"the API takes folders below {folder} alone (DOM_FILES_DIR); `dom channels connect` takes any"
            raise InvalidInput(said, field=f"settings.{name}")


def must_stay(secrets: SecretStore, channel: str, before: KeptConnection | None, wanted: Connection) -> None:
    """Raises Conflict for another server than before, where there are credentials that it would be sent: whoever may
    connect a channel is not to read them.
    """
    known = {} if before is None else _servers(before.connection)
    moved = [name for name, server in _servers(wanted).items() if known.get(name) != server]
    if moved and _has_credentials(secrets, channel, wanted):
        said = f"channel {channel} has credentials, which another server would be sent: use `dom channels connect`"
        raise Conflict(said, data={"field": f"settings.{moved[0]}"})


def _servers(connection: Connection) -> Mapping[str, str]:
    """Settings that name a server, and how it is known to be the right one."""
    return {
        name: value
        for name, value in connection.settings.items()
        if isinstance(value, str) and ("://" in value or name == "host_key")
    }


def _has_credentials(secrets: SecretStore, channel: str, wanted: Connection) -> bool:
    kind = serving(wanted.platform)
    try:
        return bool(all_of(secrets, channel, (*kind.needs, *kind.may_need)))
    except (SecretUnsafeError, UnicodeError, OSError):
        return True
