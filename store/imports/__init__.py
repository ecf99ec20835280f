"""Bulk imports of counts and changes of stock: files of up to a million rows, streamed in, applied in the background.

rows       a line of a file as a row, or what is wrong with it
reading    a stream of bytes as rows, batch by batch
receiving  the rows of a file, staged
applying   staged rows, applied chunk by chunk or all or nothing
ending     an import cancelled, an upload that died given up
progress   imports and their problems as people see them
"""

from store.imports.applying import Interrupted, apply_all, apply_next
from store.imports.ending import cancel, fail_abandoned
from store.imports.progress import Import, find, get, problems, unfinished
from store.imports.receiving import Header, receive
from store.imports.rows import Format

__all__ = [
    "Format",
    "Header",
    "Import",
    "Interrupted",
    "apply_all",
    "apply_next",
    "cancel",
    "fail_abandoned",
    "find",
    "get",
    "problems",
    "receive",
    "unfinished",
]
