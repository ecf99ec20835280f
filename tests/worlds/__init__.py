"""Small worlds and hand-written outside parties for tests."""
