"""Supabase Auth as data: its flows, the role it works as, what it answers, and what triggers see of its rows."""

from trigger_audit.auth.flows import FLOWS, commit_response, flow_named
from trigger_audit.auth.model import ColumnState, Firing, Nullability, Origin, RowState
from trigger_audit.auth.state import firings, initial_state

__all__ = [
    "FLOWS",
    "ColumnState",
    "Firing",
    "Nullability",
    "Origin",
    "RowState",
    "commit_response",
    "firings",
    "flow_named",
    "initial_state",
]
