"""Log sources: one pure file a vendor, each a ``SOURCE`` constant that the registry finds."""
