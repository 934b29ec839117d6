"""Tests of `hype.sfu.negotiation`."""
