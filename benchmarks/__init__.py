"""Measure the service against named peers; every table prints ratios of medians of interleaved runs."""
