"""The laptop's stand-in for Render. It belongs to the template and is rarely opened."""
