"""Densities and generators: what samples look like, how probable they are, and new ones of them."""
