"""Channels that tell people: one file each, pure composers; the wire is given to them.

See ``notifier.py`` for what a channel owes.
"""
