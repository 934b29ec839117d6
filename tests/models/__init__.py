"""Tests of `hype.models`, one file a table."""
