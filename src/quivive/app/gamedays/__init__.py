"""Game days: each scenario of the field guide played through the whole path, against local fakes.

A game day simulates an organisation, learns its history, then hands over raw records one by one as
a collector would. Everything else is the product itself: parsing, judging, policy in force, the
outbox, responses, notifications, the audit trail. Only the vendors are fakes (``fakes.py``), behind
a transport that has no socket: nothing leaves the process.
"""
