"""Cases over the WebSocket gateway, a file per event or rule."""
