"""The clients, and what was acknowledged to them, while the database fails (amendments A12 and A17)."""
