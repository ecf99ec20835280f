"""The OFL policy: the document business people write, how it is read, checked and compared."""
