"""Let a tile be defined without code: what an integration says is turned into requests by templates."""
