"""Exception handlers: missing and useless ones (TA3xx)."""
