"""What may be promised, and the stream of its changes.

change_examples  changes of what can be promised
change_models    changes of what a channel may be promised
change_routes    changes of what can be promised: page by page, or as they happen
examples         what can be promised
models           what can be promised: of SKUs, and of a whole basket
routes           what can be promised, now and later
"""
