"""Who gains rights by signing up (TA5xx)."""
