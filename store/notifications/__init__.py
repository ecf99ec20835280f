"""What customers, channels and other systems are to be told.

messages  messages to customers and to the webhook of orders: written with the change they tell of
outbox    everything that is to be told: claimed before it leaves, settled when its outcome is known
"""
