"""Response actions against the systems that own the identities: one file each."""
