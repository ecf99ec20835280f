"""The inbox: what channels send, what became of it, and the mappings it is read by."""
