"""What the harness tells people about a run."""
