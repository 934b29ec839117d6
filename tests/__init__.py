"""Tests that mirror hype/ file for file; hype_contract/ here has the tests of the harness."""
