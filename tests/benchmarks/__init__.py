"""What a packet costs. Scripts, not tests: machines differ."""
