"""From an assessment to a decision."""
