"""Messages that were or are to be sent.

examples  messages
models    messages that were or are to be sent
routes    messages: what customers and channels were told, or are to be told
"""
