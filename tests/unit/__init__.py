"""Rules and calculations without a server."""
