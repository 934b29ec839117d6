"""One run: its order, its target, its cases, their results and the verdict."""
