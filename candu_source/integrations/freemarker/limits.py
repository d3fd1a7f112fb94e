"""Bound what a template may cost, whoever wrote it: about a second of one core and a few megabytes at the very worst."""

from __future__ import annotations

TEMPLATE_BYTES = 64 * 1024
OUTPUT_BYTES = 1024 * 1024
# An element is a step and each two nodes of its expressions are another; so are an iteration, 64 characters that a built-in
# reads or makes, 8 beyond ASCII in which it counts places, and an item that it copies.
STEPS = 100_000
NODES_A_STEP = 2
CHARACTERS_A_STEP = 64
CHARACTERS_A_PLACE_STEP = 8
# Tags within tags, parentheses within parentheses, calls within calls, JSON within JSON.
NESTING = 50
# How many tags and texts the stripping of white space may look at: on one line each looks at the others.
LINE_LOOKS = 200_000
# How deep the tree of one expression may be: chains like a + b + c are as deep as they are long.
EXPRESSION_DEPTH = 200
# The digits of a number, before and after the point: exact arithmetic would otherwise grow without end.
DIGITS = 400
PATTERN_CHARACTERS = 1_000
# What one matching may cost by the analysis in `backtracking.py`, in characters looked at; and how many of those are a step.
MATCHING_COST = 10_000_000
MATCHING_A_STEP = 100
