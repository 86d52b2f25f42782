"""Measuring detection: labels, splits, metrics at alert budgets, and how far chance moves them."""
