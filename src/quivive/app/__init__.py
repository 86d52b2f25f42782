"""Wiring: settings, the registry of components, and what the commands share."""
