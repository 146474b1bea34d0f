"""Networks for series, tokens and texts."""
