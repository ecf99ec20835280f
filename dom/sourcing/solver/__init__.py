"""The sourcing question in numbers, and its best answer: which sources take part, and who gives what."""
