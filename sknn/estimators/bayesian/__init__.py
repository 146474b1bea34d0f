"""Families that say how sure they are."""
