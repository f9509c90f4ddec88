"""Published models and small examples, each a script that runs from the command line."""
