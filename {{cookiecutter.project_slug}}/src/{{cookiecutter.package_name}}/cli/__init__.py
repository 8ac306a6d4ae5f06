"""The command line that starts a run. It belongs to the template and is rarely opened."""
