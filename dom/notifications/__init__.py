"""What customers and other systems are told.

messages  what customers and other systems are told about an order
"""
