"""Files of counts and changes.

test_imports  streamed in, applied in the background, every bad row downloadable
"""
