"""Whether a body could be read at all (TA0xx)."""
