"""The numbered scripts, each a step of the schema. `hype.models.migrate` runs them, and no module imports them.

A script does not change once it is released: it has its own SQL and never uses the models.
"""
