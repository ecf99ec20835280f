"""Messages to customers and channels.

messages  messages to customers and channels: written with the change they tell of, claimed before they
          leave
"""
