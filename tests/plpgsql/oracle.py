"""libpg_query as the oracle of the PL/pgSQL parser, in a process of its own that may abort."""

from __future__ import annotations

import itertools
import json
import re
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """libpg_query's tree, or its refusal; both None where it aborted or could not take the text."""

    tree: dict[str, Any] | None
    refusal: str | None


class Oracle:
    """Starts the worker when it is first asked and again after it has died."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[str] | None = None

    def body(self, text: str) -> Verdict:
        """What libpg_query makes of a trigger function with this body."""
        tag = next(tag for tag in (f"$b{number}$" for number in itertools.count()) if tag[:-1] not in text)
        # A body that ends in a dollar sign would make the closing tag part of a word; the space changes no line.
        closing = " " if text.endswith("$") else ""
        header = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        return self._ask("plpgsql", f"{header} {tag}{text}{closing}{tag}")

    def sql_parses(self, text: str) -> bool:
        """Whether PostgreSQL's main grammar takes this statement."""
        return self._ask("sql", text).tree is not None

    def close(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None

    def _ask(self, kind: str, text: str) -> Verdict:
        worker = self._running()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(json.dumps([kind, text]) + "\n")
            worker.stdin.flush()
            ready, _, _ = select.select([worker.stdout], [], [], _SECONDS)
            line = worker.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            self.close()
            return Verdict(None, None)
        answer = json.loads(line)
        found = answer.get("tree")
        return Verdict(found[0] if isinstance(found, list) else found, answer.get("refusal"))

    def _running(self) -> subprocess.Popen[str]:
        if self._worker is None or self._worker.poll() is not None:
            program = Path(__file__).with_name("oracle_worker.py")
            self._worker = subprocess.Popen(
                [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._worker


# What libpg_query refuses for reasons that a body's text alone does not show: it depends on the catalog, on the
# function's result or on which names are variables, and the parser knows none of these.
_BEYOND_THE_GRAMMAR = re.compile(
    "|".join(
        (
            # Also raised for the fields of %ROWTYPE variables, for libpg_query has no catalog.
            r"is not a known variable",
            r"is not a scalar variable",
            r"unrecognized exception condition",
            r'^record "\w+" has no field',
            r"^record variable cannot be part of multiple-item INTO list",
            r"^loop variable of (loop over rows|FOREACH) must be",
            r"^cursor variable must be a simple variable",
            r"^variable .* must be of type cursor or refcursor",
            r"^cursor .* has (no )?arguments",
            r"^(not enough|too many) arguments for cursor",
            r"^cursor FOR loop must use a bound cursor variable",
            r"^variable .* is declared CONSTANT",
            r"^variable .* must have a default value",
            r"^FETCH statement cannot return multiple rows",
            r"^there is no label",  # EXIT may name the function
            r"^collations are not supported by type",  # libpg_query knows no types
            r"^cannot use RETURN (NEXT|QUERY) in a non-SETOF function",
            r"^variable \".*\" does not exist",
        )
    )
)


def beyond_the_grammar(refusal: str) -> bool:
    return _BEYOND_THE_GRAMMAR.search(refusal) is not None
