"""The HTTP API: a thin door. It checks what comes in, asks the durable processes, and reads the store."""
