"""Findings that belong together, and how much each matters."""
