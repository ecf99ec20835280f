"""Sales channels: how messages of each platform are told apart.

port     what the system asks of a connector
generic  any sender of JSON that comes with an API key
"""
