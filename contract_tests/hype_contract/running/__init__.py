"""A run: its configuration, its target, its cases, their results and the verdict."""
