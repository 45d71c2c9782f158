"""Reads one JSON string with a function's source a line, answers with libpg_query's tree or its refusal.

It runs as a program of its own, because libpg_query can abort the process that it lives in.
"""

from __future__ import annotations

import json
import sys

import pgparse


def _answer(kind: str, text: str) -> dict[str, object]:
    try:
        found = pgparse.parse_pgsql(text) if kind == "plpgsql" else pgparse.parse(text)
    except pgparse.PGQueryError as refusal:
        return {"refusal": str(refusal.message)}
    except (UnicodeError, ValueError, RecursionError) as problem:
        return {"unusable": repr(problem)}
    return {"tree": json.loads(found) if isinstance(found, str) else found}


for line in sys.stdin:
    print(json.dumps(_answer(*json.loads(line))), flush=True)
