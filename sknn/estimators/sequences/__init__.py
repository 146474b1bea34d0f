"""Families for sequences: recurrent networks, transformers, forecasts."""
