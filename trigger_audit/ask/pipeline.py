"""Parse and Describe of many statements in few round trips: no Bind and no Execute.

No statement is executed, but PostgreSQL reads literals while it parses, and that of an array, a composite or a range
of a domain runs the domain's CHECK. It does so with the rights of the login, in the caller's transaction, which should
be READ ONLY and is rolled back.
"""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.questions.model import Question, Reply
from trigger_audit.database.patience import SILENCE, silent

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

_CHUNK = 50
"""Statements in flight: their answers wait in socket buffers, which must not fill up on both sides."""

_SAVEPOINT = b"trigger_audit_question"


def describe(connection: Connection[Any], questions: Sequence[Question]) -> list[Reply]:
    """The server's replies in the order of the questions, which must all be of the search path in force.

    Must run inside an open transaction. After each statement a savepoint is rolled back to, which clears an error and
    frees the statement's locks. Statements are unnamed, so poolers see nothing of them.

    Raises:
        psycopg.OperationalError: the connection was lost, or the server has fallen silent.
    """
    encoding = connection.info.encoding
    replies: list[Reply] = []
    connection.execute(b"SAVEPOINT " + _SAVEPOINT)
    hurried = False
    for start in range(0, len(questions), _CHUNK):
        some = list(_chunk(connection.pgconn, encoding, questions[start : start + _CHUNK]))
        replies.extend(some)
        if not hurried and any(reply.sqlstate == "55P03" for reply in some):
            # Somebody holds a lock that these bodies keep naming: do not wait for it each time.
            hurried = True
            connection.execute(b"RELEASE SAVEPOINT " + _SAVEPOINT)
            connection.execute(b"SET LOCAL lock_timeout = '1ms'")
            connection.execute(b"SAVEPOINT " + _SAVEPOINT)
    connection.execute(b"RELEASE SAVEPOINT " + _SAVEPOINT)
    return replies


def _chunk(pgconn: PGconn, encoding: str, questions: Sequence[Question]) -> Iterator[Reply]:
    from psycopg.pq import ExecStatus

    texts = [_encoded(question, encoding) for question in questions]
    pgconn.enter_pipeline_mode()
    for question, text in zip(questions, texts, strict=True):
        if text is not None:
            pgconn.send_prepare(b"", text, question.types)
            pgconn.send_describe_prepared(b"")
            # An error skips what follows up to the next Sync, which inside an open transaction commits nothing.
            pgconn.pipeline_sync()
        pgconn.send_query_params(b"ROLLBACK TO SAVEPOINT " + _SAVEPOINT, None)
        pgconn.pipeline_sync()
        _flush(pgconn)
    for text in texts:
        reply = Reply(sqlstate="22021", message="holds characters that the connection's encoding lacks")
        if text is not None:
            results = list(_until_sync(pgconn))
            failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
            reply = _columns(results[-1], encoding) if failed is None else _error(failed, encoding, text)
        for result in _until_sync(pgconn):
            if result.status == ExecStatus.FATAL_ERROR:
                raise _lost(pgconn, result, encoding)
        yield reply
    pgconn.exit_pipeline_mode()


def _encoded(question: Question, encoding: str) -> bytes | None:
    try:
        text = question.text.encode(encoding)
    except UnicodeEncodeError:
        return None
    return None if b"\0" in text else text


def _flush(pgconn: PGconn) -> None:
    """Sends what is queued, reading meanwhile, so that neither side waits for the other."""
    while pgconn.flush():
        readable, writable, _ = select.select([pgconn.socket], [pgconn.socket], [], SILENCE)
        if not readable and not writable:
            raise silent()
        if readable:
            pgconn.consume_input()


def _until_sync(pgconn: PGconn) -> Iterator[PGresult]:
    """The results up to the next Sync. libpq puts a None between those of two commands."""
    from psycopg.pq import ExecStatus

    gaps = 0
    while True:
        _flush(pgconn)
        while pgconn.is_busy():
            if select.select([pgconn.socket], [], [], SILENCE) == ([], [], []):
                raise silent()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            gaps += 1
            if gaps > 2:
                raise _lost(pgconn, None, "utf-8")
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return
        gaps = 0
        yield result


def _lost(pgconn: PGconn, result: PGresult | None, encoding: str) -> Exception:
    from psycopg import OperationalError

    message = result.error_message if result is not None else pgconn.error_message
    return OperationalError(message.decode(encoding, errors="replace").strip() or "the connection was lost")


def _columns(result: PGresult, encoding: str) -> Reply:
    return Reply(
        tuple(
            ((result.fname(column) or b"").decode(encoding, errors="replace"), result.ftype(column))
            for column in range(result.nfields)
        )
    )


def _error(result: PGresult, encoding: str, text: bytes) -> Reply:
    from psycopg.pq import DiagnosticField

    def said(field: DiagnosticField) -> str | None:
        value = result.error_field(field)
        return None if value is None else value.decode(encoding, errors="replace")

    position = said(DiagnosticField.STATEMENT_POSITION)
    return Reply(
        sqlstate=said(DiagnosticField.SQLSTATE) or "XX000",
        message=said(DiagnosticField.MESSAGE_PRIMARY) or "",
        hint=said(DiagnosticField.MESSAGE_HINT),
        position=int(position) - 1 if position is not None else None,
    )
