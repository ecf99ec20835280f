"""Bulk imports of counts and changes.

examples  files of counts and changes
routes    files of counts and changes of stock: sent in as a stream, applied in the background, answered row
          by row
"""
