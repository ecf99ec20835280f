"""The durable processes: an order's life and a return's."""
