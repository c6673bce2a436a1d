"""Applications that people let act for them: the ways there, what is refused, and the end of it."""
