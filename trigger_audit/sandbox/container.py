"""Runs a container of a PostgreSQL image by means of testcontainers, and removes it whatever happens.

The optional extra `docker` brings testcontainers; it is imported here and nowhere else.
"""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.database.redact import redact
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.sandbox.signals import termination_as_exit, undisturbed

if TYPE_CHECKING:
    from docker import DockerClient as Engine
    from testcontainers.core.container import DockerContainer

LABEL = "trigger-audit"
"""Each container has it: `docker ps --all --filter label=trigger-audit` shows what a killed process may have left."""

_PORT = 5432
_ANSWER_SECONDS = 5
_LONGEST = 200
_INSTALL = "pip install 'testcontainers>=4', or install trigger-audit with its extra [docker]"
# A project's http() and a webhook name hosts: without a name server they reach none of them, and fail at once.
_NO_NAME_SERVER = ["127.0.0.1"]


@dataclass(frozen=True, slots=True)
class Started:
    """A container whose server is about to accept logins with this password, which is never to be shown.

    `ended` says why it does not run any longer, or None while it does.
    """

    host: str
    port: int
    password: str = field(repr=False)
    ended: Callable[[], str | None]


@contextlib.contextmanager
def started_container(image: str, superuser: str, progress: Callable[[str], None]) -> Iterator[Started]:
    """Pulls the image where it is missing, starts a container of it by its own entrypoint, and removes that at the end.

    Raises UsageError where testcontainers is not installed; TriggerAuditError where no engine answers, or the image
    cannot be pulled or started. What a killed process leaves is removed by testcontainers' reaper.
    """
    try:
        from testcontainers.core.container import DockerContainer
    except ImportError:
        raise UsageError("--docker needs testcontainers, which is not installed", _INSTALL) from None
    except ValueError as error:
        # It reads its environment and its file of properties when it is imported.
        raise TriggerAuditError(f"the settings of testcontainers cannot be read: {_said(error)}") from None
    _require_engine()
    run, password = secrets.token_hex(8), secrets.token_hex(24)
    try:
        container = DockerContainer(image).with_exposed_ports(_PORT)
        engine = container.get_docker_client().client
    except Exception as error:
        # It may log in to a registry here.
        raise TriggerAuditError(f"testcontainers cannot use the Docker engine: {_said(error)}") from None
    # What the entrypoint of the official image reads; that of supabase/postgres has the same.
    container.with_envs(POSTGRES_PASSWORD=password, POSTGRES_USER=superuser, POSTGRES_DB="postgres")
    container.with_kwargs(labels={LABEL: run}, dns=_NO_NAME_SERVER)
    with termination_as_exit(), contextlib.closing(engine):
        try:
            _pull(engine, container.image, progress)
            progress("starting the container")
            host, port = _start(container, image, password)
            yield Started(host, port, password, lambda: _end_of(container, password))
        except BaseException:
            with undisturbed(), contextlib.suppress(TriggerAuditError):
                _remove(engine, run)
            raise
        else:
            with undisturbed():
                _remove(engine, run)


def _require_engine() -> None:
    """A client of its own, which is not patient: pulling an image takes longer than finding no engine may."""
    from testcontainers.core.docker_client import DockerClient

    with warnings.catch_warnings():
        # The client leaves the socket of a failed attempt to the garbage collector, which would complain later.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            DockerClient(timeout=_ANSWER_SECONDS).client.close()
        except Exception as error:
            said = _said(error)
        else:
            return
        gc.collect()
    place = os.environ.get("DOCKER_HOST")
    raise TriggerAuditError(
        f"no Docker engine answers{f' at {redact(place)}' if place else ''}: {said}",
        "`docker info` must answer; without --docker a sandbox needs no Docker",
    )


def _pull(engine: Engine, image: str, progress: Callable[[str], None]) -> None:
    from docker.errors import ImageNotFound

    try:
        with contextlib.suppress(ImageNotFound):
            engine.images.get(image)
            return
        progress(f"pulling {image}")
        engine.images.pull(image)
    except Exception as error:
        said = _said(error)
    else:
        return
    raise TriggerAuditError(
        f"the image {image} cannot be pulled: {said}",
        "supabase/.temp/postgres-version holds the version of a linked project",
    )


def _start(container: DockerContainer, image: str, password: str) -> tuple[str, int]:
    """Where the port of the container's server is reached."""
    try:
        container.start()
        return container.get_container_host_ip(), container.get_exposed_port(_PORT)
    except Exception as error:
        said = _end_of(container, password) or _said(error)
    raise TriggerAuditError(f"a container of the image {image} cannot be started: {redact(said, [password])}")


def _end_of(container: DockerContainer, password: str) -> str | None:
    """The last that a container said which has ended; None while it runs, or where nobody knows."""
    from docker.errors import NotFound

    try:
        found = container.get_wrapped_container()
        found.reload()
        if found.status not in ("exited", "dead"):
            return None
        lines = found.logs(tail=20).decode(errors="replace").split("\n")
    except NotFound:
        return "it was removed"
    except Exception:
        return None
    spoken = [line.strip() for line in lines if line.strip()]
    return redact(_shortened(spoken[-1]), [password]) if spoken else "it said nothing"


def _remove(engine: Engine, run: str) -> None:
    """By its label, which finds also what was interrupted between its creation and its becoming known here."""
    from docker.errors import NotFound

    try:
        for found in engine.containers.list(all=True, filters={"label": f"{LABEL}={run}"}):
            with contextlib.suppress(NotFound):
                found.remove(force=True, v=True)
    except Exception as error:
        said = _said(error)
    else:
        return
    raise TriggerAuditError(
        f"the container could not be removed: {said}",
        f"docker rm --force --volumes $(docker ps --all --quiet --filter label={LABEL}={run})",
    )


def _said(error: BaseException) -> str:
    """What the engine or the system answered, in one line: the libraries in between wrap it again and again."""
    explanation = getattr(error, "explanation", None)
    if isinstance(explanation, str) and explanation.strip():
        return _shortened(explanation)
    innermost: BaseException | None = error
    while innermost is not None:
        if isinstance(innermost, OSError) and innermost.strerror:
            return innermost.strerror
        innermost = innermost.__cause__ or innermost.__context__
    return _shortened(str(error)) or type(error).__name__


def _shortened(text: str) -> str:
    line = redact(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
