"""The experiments of Rossbroich, Gygax & Zenke (2022); `python -m models.rossbroich_2022`."""
