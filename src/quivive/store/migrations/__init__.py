"""Alembic's migrations of the store, run by ``store/upgrade.py``."""
