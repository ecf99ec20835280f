"""Holds of orders, and the policy of which there are and when they are put on."""
