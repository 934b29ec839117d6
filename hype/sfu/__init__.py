"""The selective forwarding unit: real sound and pictures between browsers, forwarded and never decoded (ruling R30)."""
