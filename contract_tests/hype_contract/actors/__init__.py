"""The users, rooms and sockets that a case plays with, the clients behind them, and the assertions of a case."""
