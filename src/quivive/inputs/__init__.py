"""Bytes in: files, standard input and their framing into records."""
