"""The voice API in real browsers: Chromium, mediasoup-client and a page that does what a frontend does."""
