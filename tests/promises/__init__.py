"""What the product promises beyond any one room, shown on a running server."""
