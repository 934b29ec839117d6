"""The harness as a client of the target: one module per protocol. Whatever they see is judged and recorded."""
