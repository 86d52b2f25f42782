"""Protocols of published evaluations, run on public data that whoever has it names."""
