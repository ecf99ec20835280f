"""The pure core: what an order is, what may happen to it, and how it is sourced. No I/O, no clock, no framework."""
