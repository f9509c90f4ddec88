"""The fluctuation-driven initializer, and other starts to compare with."""
