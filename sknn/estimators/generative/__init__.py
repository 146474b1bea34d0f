"""Families that learn how probable samples are, or draw new ones."""
