"""PostgreSQL's own functions and operators by how they treat NULL.

Strict ones (pg_proc.proisstrict) are NULL where an argument is. `tests/analysis/test_values.py` asks a server for every
name here.
"""

from __future__ import annotations

from sqlglot import exp

# Nodes of strict functions and operators: NULL where any of their children is.
STRICT_NODES = (
    exp.Lower, exp.Upper, exp.Initcap, exp.Trim, exp.Substring, exp.SplitPart, exp.MD5, exp.Replace, exp.RegexpReplace,
    exp.Left, exp.Right, exp.Length, exp.StrPosition, exp.Reverse, exp.Pad, exp.Repeat, exp.Translate, exp.TimeToStr,
    exp.TimestampTrunc, exp.Extract, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.DPipe, exp.Add, exp.Sub, exp.Mul,
    exp.Div, exp.Mod, exp.Neg, exp.AtTimeZone, exp.Collate, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like,
    exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.SimilarTo, exp.Not, exp.ArrayContainsAll, exp.JSONBContainsTopKey,
)  # fmt: skip

NEVER_NULL_NODES = (
    exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentUser, exp.Uuid, exp.Rand, exp.Exists, exp.Count,
    exp.Concat, exp.Array, exp.Interval, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip

STRICT_NAMES = frozenset(
    "lower upper initcap btrim ltrim rtrim substring substr split_part md5 replace regexp_replace left right length "
    "char_length character_length octet_length strpos reverse lpad rpad repeat translate to_char date_trunc date_part "
    "abs round floor ceil ceiling starts_with ascii chr encode decode quote_ident sha256 hashtext to_hex jsonb_typeof "
    "json_typeof jsonb_array_length to_number to_date to_timestamp make_interval".split()
)

NEVER_NULL_NAMES = frozenset(
    "now clock_timestamp statement_timestamp transaction_timestamp timeofday gen_random_uuid random concat "
    "jsonb_build_object json_build_object jsonb_build_array json_build_array nextval pg_trigger_depth row "
    "pg_backend_pid current_database txid_current quote_nullable".split()
)

# extensions' own, whatever their schema
NEVER_NULL_ANYWHERE = frozenset(
    "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes gen_random_uuid".split()
)


def is_strict_call(schema: str | None, name: str) -> bool:
    """Whether a call by name is one of PostgreSQL's own strict functions."""
    return schema in (None, "pg_catalog") and name in STRICT_NAMES


def is_never_null_call(schema: str | None, name: str) -> bool:
    """Whether a call by name never gives NULL, whatever its arguments."""
    return (schema in (None, "pg_catalog") and name in NEVER_NULL_NAMES) or name in NEVER_NULL_ANYWHERE
