"""Builds the sample of real orders in `data/`: one module a step, wired in `tools/build_sample.py`."""
