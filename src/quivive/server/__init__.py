"""The HTTP face: one process that owns the engine, judges logins in their own path, and acts."""
