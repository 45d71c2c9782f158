"""By their names: columns that grant something, and values that are worth having there."""

from __future__ import annotations

import re

GRANTING = re.compile(
    r"^(?:\w*_)?(?:role|roles|is_\w*admin|admin|superuser|is_superuser|is_staff|is_owner|permission|permissions|"
    r"access_level|privileges?|scopes?|tenant|tenant_id|org_id|organization_id|organisation_id|company_id|workspace_id|"
    r"team_id|plan|plan_id|tier|subscription|subscription_tier|subscription_status|is_premium|is_pro|is_verified|"
    r"verified|is_approved|approved|credits|balance|quota)$"
)
PRIVILEGED = re.compile(r"admin|owner|super|staff|root|moderator|manager|service|premium|pro\b|enterprise|true", re.I)

_RANKS = tuple(
    re.compile(pattern, re.I)
    for pattern in ("super|root", "owner", "admin", "service", "manager", "staff", "moderator", "enterprise", "premium")
)


def privilege_rank(text: str) -> int:
    """How much a value looks like a privilege: 0 for the most, larger for less; 100 where it does not."""
    for rank, pattern in enumerate(_RANKS):
        if pattern.search(text):
            return rank
    return len(_RANKS) if PRIVILEGED.search(text) else 100
