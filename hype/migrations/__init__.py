"""Numbered scripts, each one step of the schema; `hype.models.migrate` runs them, nothing imports them.

A script stands still once released: it says what it does in SQL of its own and never asks the models.
"""
