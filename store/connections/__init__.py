"""Channels' connections to their platforms.

connections  how each is connected, and whether it is paused
feeds        how far each feed is read, and when it is read next
told         what each channel was told of its orders
waiting      what came and has no turn yet, and what is untold
"""
