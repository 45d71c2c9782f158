"""Writes that hit too many rows, or themselves (TA4xx)."""
