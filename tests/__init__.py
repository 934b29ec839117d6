"""Mirrors hype/ file for file; tests of the harness stand in contract_tests/."""
