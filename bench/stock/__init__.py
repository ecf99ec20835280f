"""What stock can take: reservations of a hot row, availability at a million balances, a million rows imported."""
