"""Families for series: recurrent networks, transformers."""
