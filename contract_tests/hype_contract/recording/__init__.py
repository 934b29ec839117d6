"""The record of a run: what crossed the wire, as a ledger and as scripts that hide secrets and controls."""
