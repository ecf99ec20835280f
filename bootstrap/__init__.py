"""What every process begins with: its settings, the way to the servers, and words for what is missing."""
