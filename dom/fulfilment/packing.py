"""What a carrier is booked for, and asked to bring back."""

from dom.shared import ids
from dom.shared.base import Value


class Packing(Value):
    """A fulfilment as it was packed; `attempt` counts how often. The carrier is booked once for each."""

    order_id: str
    fulfilment_id: str
    attempt: int

    @property
    def key(self) -> str:
        """The booking's key."""
        return ids.booking_key(self.fulfilment_id, self.attempt)


class Interception(Value):
    """A parcel that its carrier is asked to bring back, for a request for a cancellation."""

    order_id: str
    fulfilment_id: str
    request_id: str
