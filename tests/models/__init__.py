"""Tests of `hype.models`, one file for each table."""
