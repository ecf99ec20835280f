"""Messages to customers and other systems: the port, mail, signed webhooks, and the texts."""
