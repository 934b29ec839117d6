"""What becomes of clients, and of what was acknowledged to them, while the database fails (amendments A12 and A17)."""
