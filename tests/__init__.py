"""Mirrors hype/ file for file; tests of the harness stand in hype_contract/."""
