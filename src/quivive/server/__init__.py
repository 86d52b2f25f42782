"""The network face: the HTTP API and what is served with it."""
