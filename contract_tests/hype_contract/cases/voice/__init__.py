"""Cases about the voice API and the events that it causes, by REST and the gateway alone, without media."""
