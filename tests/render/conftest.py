"""What the template renders: files, names, answers, updates.

These tests read the rendered files, run linters over them, or import a module. Whether a rendered project's
runs do the right thing is tested in `tests/service/`.
"""
