"""A stub of Shopify."""
