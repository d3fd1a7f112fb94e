"""The Segment source service for Candu."""

__version__ = "0.1.0"
