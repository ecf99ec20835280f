"""A stub of Amazon's Selling Partner API."""
