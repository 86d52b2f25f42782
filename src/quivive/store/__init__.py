"""What is kept, in SQLite or PostgreSQL: state, assessments, verdicts, incidents, the outbox…"""
