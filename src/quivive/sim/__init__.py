"""Simulated organisations, behaviour and attacks for the demo, tests and game days."""
