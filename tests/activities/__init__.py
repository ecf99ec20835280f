"""What an activity does to the store and to outside parties, and that it does it once."""
