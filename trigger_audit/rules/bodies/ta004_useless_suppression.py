"""An ignore comment that silences nothing, or not what it says.

What it finds: comments `-- trigger-audit: ignore TA301, TA401 reason` in the functions of the cascade without a reason,
with a code that no rule has, or with a code that finds nothing where the comment stands.

Such a comment on a line of its own covers the next statement with all that is nested in it (inside a statement: that
statement), at the end of a line the findings that begin or end on that line, and before the first BEGIN the whole
function (in a LANGUAGE sql function: before the first statement). `/* trigger-audit: ignore TA301 reason */` is the
same. It never covers what another function does that is called from there. Codes are separated by commas, and the
first word that is none begins the reason. What it silences stays in the report, with the reason, and fails nothing.

A comment without a reason silences nothing at all; where one of its codes is unknown or idle, the others still count.
All rules judge it, whatever is selected. Nothing is said of a comment in a function that is also a trigger's which was
not looked at, or where a part could not be analysed. TA004 itself is not silenced by a comment.

Why it hurts: it hides the fault that a later change brings to that place; and who reads it believes in a fault that is
not there.

How to mend: write the reason, correct the code, or take the code or the whole comment out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Path, Proof, Severity
from trigger_audit.findings.suppression import ABOUT_COMMENTS, IgnoreComment, Reach, comments_of, idle, ignore_comments
from trigger_audit.rules.base import Meta, first_visits, path_of

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code=ABOUT_COMMENTS,
    name="useless-suppression",
    severity=Severity.WARNING,
    summary="ignore comment without reason, with an unknown code, or that silences nothing",
)

BAD = """\
create table public.audit_log (id bigint generated always as identity, user_id uuid);

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- trigger-audit: ignore TA301 -- TA004
  insert into public.audit_log (user_id) values (new.id); -- trigger-audit: ignore TA999 an old rule -- TA004
  /* trigger-audit: ignore TA302 the handler was here until spring */ -- TA004
  return new;
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
"""

GOOD = """\
create table public.audit_log (id bigint generated always as identity, user_id uuid);

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- trigger-audit: ignore TA301 nobody may sign up without a line in the log
  insert into public.audit_log (user_id) values (new.id);
  return new;
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
"""

_HERE = {Reach.LINE: "on this line", Reach.STATEMENT: "in the statement", Reach.FUNCTION: "in the function"}


def check(audit: Audit) -> Iterator[Finding]:
    """The comments that are wrong as they stand. Which silence nothing shows when all rules have spoken: `idlers`."""
    for facts, visits in first_visits(audit):
        for comment in comments_of(facts):
            for message, fix in _wrong(comment):
                yield _report(comment, tuple(path_of(visit) for visit in visits), message, fix)


def idlers(audit: Audit, said: Iterable[Finding], not_analysed: Collection[str]) -> Iterator[Finding]:
    """The codes that silence nothing of all that the rules said, before folding.

    Nothing is told of functions in `not_analysed`, and of those that a trigger runs which the audit did not come by.
    """
    from trigger_audit.rules.registry import all_rules

    known = {rule.meta.code for rule in all_rules()}
    paths = {facts.function.name: tuple(map(path_of, visits)) for facts, visits in first_visits(audit)}
    met = {visit.trigger.oid for visit in audit.cascade.visits if visit.trigger is not None}
    elsewhere = {trigger.function for trigger in audit.catalog.triggers if trigger.oid not in met}
    unjudged = {audit.catalog.functions[oid].name for oid in elsewhere if oid in audit.catalog.functions}
    for comment, code in idle(ignore_comments(audit), said):
        function = comment.place.function
        if code not in known or not comment.is_read or function in unjudged or function in not_analysed:
            continue
        if comment.scope.reach is Reach.NOTHING:
            message = f"the comment ignores {code}, and no statement follows it"
        else:
            message = f"the comment ignores {code}, which finds nothing {_HERE[comment.scope.reach]}"
        fix = f"take {code} out of the comment" if len(comment.codes) > 1 else "take the comment out"
        yield _report(comment, paths[function], message, fix)


def _wrong(comment: IgnoreComment) -> Iterator[tuple[str, str]]:
    """(message, fix) of each thing that is wrong with a comment by itself."""
    example = "write `trigger-audit: ignore TA301 reason`"
    if comment.word != "ignore":
        yield f"a comment for trigger-audit begins with ignore, not with {comment.word}", example
        return
    if not comment.codes:
        yield "the ignore comment names no rule by its code", _code_of(comment.rest) or example
        return
    if not comment.reason:
        yield (
            f"the comment that ignores {', '.join(comment.codes)} gives no reason, and so silences nothing",
            "write the reason behind the codes",
        )
    for code in comment.codes:
        if code == ABOUT_COMMENTS:
            yield f"no comment silences {code}", f"take {code} out of the comment"
        elif (advice := _advice(code)) is not None:
            yield f"the comment ignores {code}, and there is no such rule", advice


def _code_of(text: str) -> str | None:
    from trigger_audit.rules.registry import all_rules

    first = text.partition(" ")[0].strip(",:").lower()
    return next((f"write {rule.meta.code}" for rule in all_rules() if rule.meta.name == first), None)


def _advice(code: str) -> str | None:
    from trigger_audit.errors import UsageError
    from trigger_audit.rules.registry import find_rule

    try:
        find_rule(code)
    except UsageError as error:
        return error.remedy or "take it out"
    return None


def _report(comment: IgnoreComment, paths: tuple[Path, ...], message: str, fix: str) -> Finding:
    return Finding(
        rule=META.code,
        name=META.name,
        severity=META.severity,
        object=comment.place.function,
        paths=paths,
        place=comment.place,
        message=message,
        why="A comment that is not right hides what a later change brings, or nothing at all.",
        fix=fix,
        proof=Proof.PATTERN,
        sqlstate=None,
        hidden_by=None,
        cause=message,
    )
