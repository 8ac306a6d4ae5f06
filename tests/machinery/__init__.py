"""Tests of the engine, the command line and the scripts of a rendered project.

Teams rarely edit that code, so a rendered project does not include these tests. The template's suite copies
this directory into a rendered project, as `tests/machinery`, and runs it there.
"""
