"""The harness as a client of the target, with a module per protocol. Each answer and frame is judged and recorded."""
