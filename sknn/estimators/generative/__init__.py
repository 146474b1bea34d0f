"""Densities and generators, and what stands on densities."""
