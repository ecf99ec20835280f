"""Search at a million orders: `python -m bench.search`."""
