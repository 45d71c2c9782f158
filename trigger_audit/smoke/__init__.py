"""Runs Auth's own statements against a database, rolled back: would a sign-up work right now, and what breaks it?"""
