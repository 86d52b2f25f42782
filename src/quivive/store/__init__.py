"""The embedded store: state, assessments and dead letters in one SQLite file."""
