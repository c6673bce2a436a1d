"""Bytes of files on their way in and out, and the headers that say which of them."""
