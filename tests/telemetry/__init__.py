"""Tests of `hype.telemetry`."""
