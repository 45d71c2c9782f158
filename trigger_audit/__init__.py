"""Finds out why sign-ups fail on Supabase, before and after it happens."""

__version__ = "0.1.0"
