"""What commands to an order have in common."""

from dom.shared.base import Value


class Requested(Value):
    """What may be asked more than once. `request` is the asker's own id of it, which tells a repeat; `request_hash`
    whether it stands for the same.
    """

    request: str | None = None
    request_hash: str | None = None
