"""Bulk imports of counts and changes of stock: files of up to a million rows, streamed in, applied in the background.

rows       a line of a file as a row, or what is wrong with it
reading    a stream of bytes as rows, batch by batch
receiving  the rows of a file, staged
applying   staged rows, applied chunk by chunk or all or nothing
progress   imports and their problems as people see them
"""

from store.imports.applying import apply_all, apply_next, fail_abandoned
from store.imports.progress import Import, find, get, problems
from store.imports.receiving import Header, receive
from store.imports.rows import Format

__all__ = [
    "Format",
    "Header",
    "Import",
    "apply_all",
    "apply_next",
    "fail_abandoned",
    "find",
    "get",
    "problems",
    "receive",
]
