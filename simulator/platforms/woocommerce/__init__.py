"""A stub of WooCommerce."""
