"""The words of Quivive as frozen data: records, events, evidence, assessments, decisions.

Nothing here computes, reads or writes; every other package speaks in these types.
"""
