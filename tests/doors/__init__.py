"""Hold the doors to their contract."""
