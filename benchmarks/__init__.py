"""Measures the budgets as ratios against a peer in the same run: `python -m benchmarks`. These are no tests."""
