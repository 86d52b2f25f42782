"""Fetching logs from vendors' APIs: one file a vendor, registered by the constant ``FETCHER``."""
