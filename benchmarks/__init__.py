"""Measure the service against named peers; every table prints medians of interleaved runs."""
