"""Families for tables that are more than rows of numbers."""
