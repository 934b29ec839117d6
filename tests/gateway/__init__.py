"""Tests of hype/gateway."""
