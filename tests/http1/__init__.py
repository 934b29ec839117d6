"""Tests of `hype.http1`: octets in, octets out."""
