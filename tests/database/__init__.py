"""Tests of hype.database."""
