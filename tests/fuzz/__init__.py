"""Random feeds against the whole system and a model of it."""
