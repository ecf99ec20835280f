"""What the frame costs: real orders beside workflows that do nothing, on the servers `dom up` starts."""
