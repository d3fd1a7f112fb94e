"""Send messages to where they go: one file per destination."""
