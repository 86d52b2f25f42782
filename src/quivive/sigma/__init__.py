"""Sigma rules (https://sigmahq.io/sigma-specification): read, compiled to closures, matched.

Pure: the shell reads the files and has the records. What is read of the specification, version 2.1,
is a detection of one record; correlations and aggregations are refused with what to do instead.
"""
