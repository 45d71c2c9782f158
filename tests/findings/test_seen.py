from __future__ import annotations

import pytest

from trigger_audit.findings.seen import Seen, seen_by_the_user


def seen(flow: str, message: str, step: int = 1, *, latent: bool = False, after_mail: bool = False) -> Seen:
    return Seen(flow, latent, step, message, after_mail)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), ""),
        ((seen("b", "X"), seen("a", "X")), 'The app user sees "X" (a, b).'),
        (
            (seen("a", "X"), seen("b", "Y"), seen("c", "Y"), seen("l", "Z", latent=True)),
            'The app user sees "X" (a), "Y" (b, c).',
        ),
        ((seen("l", "Z", latent=True),), 'The app user sees "Z" (l).'),
        # The flow ends at the first step that fails.
        ((seen("a", "late", 5, after_mail=True), seen("a", "early", 2)), 'The app user sees "early" (a).'),
        (
            (seen("a", "X", after_mail=True), seen("b", "X", after_mail=True)),
            'The app user sees "X" (a, b); the mail has left by then, and its link is dead.',
        ),
        (
            (seen("a", "X"), seen("b", "Y", after_mail=True)),
            'The app user sees "X" (a), "Y" (b); in b the mail has left by then, and its link is dead.',
        ),
        (tuple(seen(flow, "X") for flow in "fedcba"), 'The app user sees "X" (a, b, c, d and 2 more).'),
        (
            tuple(seen(flow, flow.upper()) for flow in "abcde"),
            'The app user sees "A" (a), "B" (b), "C" (c), something like it in d, e.',
        ),
    ],
)
def test_the_sentence(given: tuple[Seen, ...], expected: str) -> None:
    assert seen_by_the_user(given) == expected
