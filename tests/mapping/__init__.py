"""Hold the mapping to Segment's words and to the official library."""
