"""A real Vendure server, from npm: a process of its own, never a dependency."""
