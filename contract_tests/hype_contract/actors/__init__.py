"""Users, channels and sockets for the cases, the clients that talk to the target, and the assertions."""
