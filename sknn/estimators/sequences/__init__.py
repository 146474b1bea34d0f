"""Families for sequences: series, texts, forecasts."""
