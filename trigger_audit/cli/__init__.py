"""The commands: parse options, call, render, exit code. No logic."""
