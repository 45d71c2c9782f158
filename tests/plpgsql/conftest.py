from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plpgsql.oracle import Oracle


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    started = Oracle()
    yield started
    started.close()
