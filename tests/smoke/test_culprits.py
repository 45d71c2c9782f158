"""The search for the switches at fault, on worlds whose causes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from trigger_audit.smoke.culprits import Fault, Found, Off, Trial, Verdict, search


@dataclass(frozen=True)
class World:
    """Failures in their order: each happens where all its causes are on and none of its remedies is."""

    count: int
    failures: tuple[tuple[str, frozenset[int], frozenset[int]], ...]
    carriers: frozenset[tuple[int, int]] = frozenset()
    followers: frozenset[str] = frozenset()
    cycle: frozenset[int] = frozenset()

    def replay(self, off: Off) -> Trial:
        on = frozenset(range(self.count)) - off
        for name, causes, remedies in self.failures:
            if causes <= on and not remedies & on:
                return Trial(broken=("failure", name))
        return Trial()

    def carries(self, outer: int, inner: int) -> bool:
        return (outer, inner) in self.carriers

    def may_follow(self, fault: Fault, switch: int | None, off: Off) -> bool:
        return fault[1] in self.followers

    def recurring(self, fault: Fault) -> Off:
        return self.cycle

    def judge(self, guesses: Callable[[Fault], Sequence[Off]] = lambda fault: ()) -> Verdict:
        return search(self.count, self.replay(frozenset()), self.replay, self, guesses)


def causes(
    *switches: int, unless: Sequence[int] = (), name: str = "broken"
) -> tuple[str, frozenset[int], frozenset[int]]:
    return name, frozenset(switches), frozenset(unless)


def only(verdict: Verdict) -> Found:
    assert not verdict.open
    assert not verdict.unswitched
    (found,) = verdict.found
    return found


def test_one_among_many_is_found_in_few_trials() -> None:
    verdict = World(20, (causes(13),)).judge()
    assert only(verdict) == Found(13, ("failure", "broken"), necessary=True, sufficient=True)
    assert verdict.trials <= 15


def test_a_right_guess_is_proved_in_two_trials() -> None:
    verdict = World(20, (causes(13),)).judge(lambda fault: (frozenset({13}),))
    assert only(verdict).switch == 13
    assert verdict.trials == 3  # all off, it alone on, it alone off


def test_a_wrong_guess_is_no_proof() -> None:
    assert only(World(8, (causes(5),)).judge(lambda fault: (frozenset({2}),))).switch == 5


def test_two_culprits_are_both_found() -> None:
    verdict = World(9, (causes(2, name="first"), causes(7, name="second"))).judge()
    assert [(found.switch, found.fault[1]) for found in verdict.found] == [(2, "first"), (7, "second")]
    assert all(found.necessary and found.sufficient for found in verdict.found)


def test_two_that_fail_alike_are_both_found() -> None:
    verdict = World(4, (causes(1), causes(3))).judge()
    assert [(found.switch, found.necessary) for found in verdict.found] == [(1, False), (3, True)]


def test_of_a_pair_both_are_named_and_neither_suffices() -> None:
    verdict = World(10, (causes(3, 8),)).judge()
    assert [(found.switch, found.necessary, found.sufficient) for found in verdict.found] == [
        (3, True, False),
        (8, True, False),
    ]


def test_an_innocent_trigger_whose_absence_changes_the_failure_is_not_named() -> None:
    """0 inserts the parent; 1 inserts the child, which fails without it, and then fails for a reason of its own."""
    world = World(3, (causes(1, unless=[0], name="no parent"), causes(1, name="own reason")))
    found = only(world.judge())
    assert (found.switch, found.fault[1]) == (1, "own reason")
    assert found.necessary
    assert not found.sufficient


def test_a_failure_that_follows_from_the_culprits_absence_names_nobody() -> None:
    """With the culprit 0 off, its row is missed by 1."""
    world = World(2, (causes(0, name="own"), causes(1, unless=[0], name="missed")), followers=frozenset({"missed"}))
    verdict = world.judge()
    assert [found.switch for found in verdict.found] == [0]
    assert verdict.open == (("failure", "missed"),)


def test_what_happens_with_everything_off_is_nobodys_fault() -> None:
    verdict = World(5, (causes(),)).judge()
    assert verdict == Verdict((), (("failure", "broken"),), (), 1)


def test_the_way_to_a_deeper_trigger_is_not_named() -> None:
    world = World(4, (causes(1, 2),), carriers=frozenset({(1, 2)}))
    assert only(world.judge()) == Found(2, ("failure", "broken"), necessary=True, sufficient=True)


def test_of_a_recursion_all_are_named_that_run_in_it_and_nobody_else() -> None:
    """0 and 1 set each other off for ever; 1 finds the row that 2 makes."""
    world = World(4, (causes(0, 1, 2),), carriers=frozenset({(0, 1)}), cycle=frozenset({0, 1}))
    assert [found.switch for found in world.judge().found] == [0, 1]


def test_a_culprit_that_others_need_is_named_all_the_same() -> None:
    """Without 0 nothing goes through; it also brings about the failure."""
    world = World(3, (causes(0, name="own"), causes(unless=[0], name="missing default")))
    verdict = world.judge()
    assert [(found.switch, found.sufficient) for found in verdict.found] == [(0, True)]


def test_our_own_limit_proves_nothing() -> None:
    verdict = search(3, Trial(broken=("failure", "x")), lambda off: Trial(limited=True), World(3, ()))
    assert verdict.found == ()
    assert verdict.open == (("failure", "x"),)


def test_altered_values_are_told_apart() -> None:
    def replay(off: Off) -> Trial:
        return Trial(changes=frozenset(("change", name) for switch, name in ((0, "a"), (2, "b")) if switch not in off))

    verdict = search(3, replay(frozenset()), replay, World(3, ()))
    assert [(found.switch, found.fault[1]) for found in verdict.found] == [(0, "a"), (2, "b")]


def test_the_number_of_trials_has_an_end() -> None:
    verdict = search(
        40, Trial(broken=("failure", "x")), World(40, (causes(*range(0, 40, 3)),)).replay, World(40, ()), most=10
    )
    assert verdict.trials <= 10
    assert verdict.open


@given(st.data())
def test_every_independent_cause_is_named_and_nothing_else(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 16))
    free = list(data.draw(st.permutations(range(count))))
    failures = []
    for number in range(data.draw(st.integers(0, 3))):
        size = data.draw(st.integers(1, 3))
        if len(free) < size:
            break
        failures.append(causes(*(free.pop() for _ in range(size)), name=f"fault {number}"))
    world = World(count, tuple(failures))
    verdict = search(count, world.replay(frozenset()), world.replay, world, most=10_000)
    assert not verdict.open
    assert not verdict.unswitched
    assert {found.switch for found in verdict.found} == set().union(*(failure[1] for failure in failures))
    assert world.replay(frozenset(found.switch for found in verdict.found)).passes


@given(st.data())
def test_an_innocent_one_is_not_named_however_the_absence_of_others_makes_it_fail(data: st.DataObject) -> None:
    """Beside true faults each world has failures that only happen where a trigger is missing."""
    count = data.draw(st.integers(2, 12))
    everyone = st.integers(0, count - 1)
    sets = st.frozensets(everyone, min_size=1, max_size=2)
    failures = [causes(*data.draw(sets), name=f"fault {number}") for number in range(data.draw(st.integers(1, 3)))]
    true = frozenset[int]().union(*(failure[1] for failure in failures))
    for number in range(data.draw(st.integers(1, 4))):
        missing = data.draw(sets)
        if then := sorted(data.draw(sets) - missing):
            failures.append(causes(*then, unless=sorted(missing), name=f"consequence {number}"))
    order = tuple(data.draw(st.permutations(failures)))
    consequences = frozenset(name for name, _, unless in order if unless)
    world = World(count, order, followers=consequences)
    verdict = search(count, world.replay(frozenset()), world.replay, world, most=10_000)
    assert {found.switch for found in verdict.found} <= true
    assert verdict.found or verdict.open
