"""Channels.

test_channels  channels and their rules
"""
