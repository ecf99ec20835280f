"""The inbox of channels.

test_sku_matches  codes that the catalogue does not hold, found by how they are written and by what resembles them
"""
