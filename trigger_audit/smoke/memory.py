"""What Auth holds in memory while a flow runs: it writes back from there, whatever a trigger has changed since."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from trigger_audit.auth.steps import Step
from trigger_audit.auth.values import Base, Clock, Constant, Document, Form, Fresh, Given, Kept, Obscured, Probe, Value
from trigger_audit.smoke.payloads import token

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Memory:
    """One user: `probes` are the values of the run, `rows` the last row of each table as Auth last wrote or read it."""

    __slots__ = ("probes", "rows")

    def __init__(self, probes: Mapping[Probe, object]) -> None:
        self.probes: dict[Probe, object] = dict(probes)
        self.rows: dict[str, dict[str, object]] = {}

    def take(self, step: Step) -> dict[str, object]:
        """The parameters of the step's writes by column; Auth sets its memory first and writes it then."""
        row = {} if step.kind.value == "INSERT" else self.rows.setdefault(step.table, {})
        values = {write.column: self.value(step.table, write.column, write.value) for write in step.writes}
        row.update(values)
        self.rows[step.table] = row
        return {column: parameter(value) for column, value in values.items()}

    def value(self, table: str, column: str, value: Value) -> object:
        """The value itself, JSON as a dictionary."""
        held = self.rows.get(table, {}).get(column)
        match value:
            case Constant(constant):
                return constant
            case Given(probe):
                return self.probes.get(probe)
            case Fresh(probe, form):
                self.probes[probe] = _fresh(form)
                return self.probes[probe]
            case Clock():
                return datetime.now(UTC)
            case Kept():
                return held
            case Obscured():
                text = f"{self.probes.get(Probe.USER_ID)}{held or ''}"
                return hashlib.sha256(text.encode()).hexdigest()
            case Document(base, keys):
                document = dict(self._base(base, held))
                for key, content in keys:
                    resolved = self.probes.get(content.probe) if isinstance(content, Given) else content
                    if resolved is not None:
                        document[key] = list(resolved) if isinstance(resolved, tuple) else resolved
                return document

    def _base(self, base: Base, held: object) -> Mapping[str, object]:
        source: object = {
            Base.NOTHING: None,
            Base.MEMORY: held,
            Base.METADATA: self.probes.get(Probe.METADATA),
            Base.IDENTITY: self.rows.get("identities", {}).get("identity_data"),
        }[base]
        return source if isinstance(source, Mapping) else {}

    def reload(self, row: Mapping[str, object]) -> None:
        """Takes a users row that was read. JSON is merged into what is held, as Go does: a removed key stays."""
        held = self.rows.setdefault("users", {})
        for column, found in row.items():
            before = held.get(column)
            if isinstance(before, Mapping) and isinstance(found, Mapping):
                held[column] = {**before, **found}
            elif not (isinstance(before, Mapping) and found is None):
                held[column] = found
        self.probes[Probe.READ_EMAIL] = held.get("email")


def _fresh(form: Form) -> str:
    match form:
        case Form.UUID:
            return str(uuid.uuid4())
        case Form.TOKEN:
            return token()
        case Form.REFRESH:
            return "".join(secrets.choice(_LETTERS) for _ in range(12))


def parameter(value: object) -> object:
    """JSON as text, which PostgreSQL takes for json and jsonb alike; the rest as it is."""
    return json.dumps(value) if isinstance(value, dict) else value
