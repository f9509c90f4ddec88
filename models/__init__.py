"""Published models, one runnable script each."""
