"""The record of a run: a ledger of what crossed the wire, and scripts that replay it without secrets."""
