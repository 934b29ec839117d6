"""Cases over the voice API and the events of media: who may send and receive, and who hears of it."""
