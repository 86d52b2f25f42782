"""Judging logins in several processes, an identity always in the same one."""
