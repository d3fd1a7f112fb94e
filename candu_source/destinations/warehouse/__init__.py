"""Load events into a warehouse, in the schema that Segment would create."""
