"""Which samples to have labelled next."""

from .query import query

__all__ = ["query"]
