"""Tests of the rendered engine, command line and scripts, which a team does not edit and need not keep.

The template's suite copies this directory into a rendered project, as `tests/machinery`, and runs it there.
"""
