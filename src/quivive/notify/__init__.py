"""Channels that tell people and other systems: one file each."""
