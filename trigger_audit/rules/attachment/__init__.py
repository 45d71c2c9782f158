"""How triggers are attached (TA7xx)."""
