"""What PostgreSQL refuses while a user signs up (TA1xx)."""
