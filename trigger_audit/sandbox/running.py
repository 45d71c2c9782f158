"""What every sandbox offers, whatever runs its server, and the way to one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trigger_audit.sandbox.docker import DockerImage

SUPERUSER = "supabase_admin"
DATABASE = "postgres"


class RunningSandbox(Protocol):
    """A server that is thrown away afterwards, with a project's roles, schemas and tables in one database.

    `server_version` as the server says it ("18.6"); `notes` are for the user to read; `uncached` says why no prepared
    server is kept for the next time.
    """

    @property
    def server_version(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def uncached(self) -> str | None: ...

    def conninfo(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """A libpq conninfo for a login as this role; it may hold a password."""
        ...


@contextlib.contextmanager
def running_sandbox(server: Path | DockerImage | None, progress: Callable[[str], None]) -> Iterator[RunningSandbox]:
    """A sandbox on the binaries of a folder, in a container of an image, or by default on the embedded server.

    Nothing of it is left afterwards. Raises TriggerAuditError where no server can be started.
    """
    from trigger_audit.sandbox.docker import DockerImage, open_image

    if isinstance(server, DockerImage):
        with open_image(server, progress) as in_container:
            yield in_container
        return
    from trigger_audit.sandbox.server import open_sandbox

    with open_sandbox(server) as on_binaries:
        yield on_binaries
