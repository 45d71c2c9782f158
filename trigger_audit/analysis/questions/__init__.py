"""Turns function bodies into questions for the server: what it should parse, and what its answers mean."""
