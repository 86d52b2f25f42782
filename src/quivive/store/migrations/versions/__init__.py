"""One file a version of the store. A released one is never changed."""
