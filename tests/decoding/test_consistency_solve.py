"""Both solvers keep the constraints; the exact one is as good as trying everything."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

import pytest

from onepass.decoding.consistency_solve import Limit, Problem, _exact, solve
from onepass.errors import MissingExtra


def keeps(problem: Problem, chosen: Iterable[int]) -> bool:
    """Say whether a choice keeps every constraint."""
    held = set(chosen)
    return (
        not any(a in held and b in held for a, b in problem.conflicts)
        and not any(v in held and held.isdisjoint(others) for v, others in problem.needs)
        and all(
            sum(not held.isdisjoint(group) for group in limit.groups) <= limit.most
            for limit in problem.limits
        )
    )


def total(problem: Problem, chosen: list[int]) -> float:
    again = [sorted(problem.weights[f] for f in chosen if f in g)[:-1] for g in problem.repeated]
    return sum(problem.weights[finding] for finding in chosen) - sum(map(sum, again))


def best_of_all(problem: Problem) -> float:
    findings = range(len(problem.weights))
    return max(
        total(problem, list(chosen))
        for size in range(len(problem.weights) + 1)
        for chosen in combinations(findings, size)
        if keeps(problem, chosen)
    )


def random_problem(rng: random.Random) -> Problem:
    """Entities that conflict, and relations that need them under limits."""
    entities, relations = rng.randint(1, 6), rng.randint(0, 4)
    count = entities + relations
    weights = tuple(round(rng.uniform(0.05, 1), 2) for _ in range(count))
    pairs = [(a, b) for a in range(entities) for b in range(a) if rng.random() < 0.3]
    needs = [
        (entities + r, tuple(rng.sample(range(entities), rng.randint(1, min(2, entities)))))
        for r in range(relations)
        for _ in range(2)
    ]
    limits = []
    if relations > 1:
        own = list(range(entities, count))
        rng.shuffle(own)
        cut = rng.randint(1, len(own) - 1)
        limits = [
            Limit(rng.randint(1, 2), tuple((one,) for one in own)),
            Limit(1, (tuple(own[:cut]), tuple(own[cut:]))),
        ]
    repeated = (tuple(range(entities, count)),) if relations > 1 and rng.random() < 0.5 else ()
    return Problem(weights, tuple(pairs), tuple(needs), tuple(limits), repeated=repeated)


def test_greedy_keeps_every_constraint_and_leaves_nothing_out_that_fits() -> None:
    rng = random.Random(7)
    for _ in range(200):
        problem = random_problem(rng)
        chosen = solve(problem)
        assert keeps(problem, chosen)
        for other in set(range(len(problem.weights))) - set(chosen):
            assert not keeps(problem, [*chosen, other])


def test_exact_equals_trying_everything() -> None:
    pytest.importorskip("highspy")
    rng = random.Random(11)
    better = 0
    for _ in range(60):
        problem = random_problem(rng)
        chosen = solve(problem, "exact")
        assert keeps(problem, chosen)
        assert total(problem, chosen) == pytest.approx(best_of_all(problem))
        better += total(problem, chosen) > total(problem, solve(problem)) + 1e-9
    assert better  # else the two would not have to be told apart


def test_exact_without_time_is_no_worse_than_greedy() -> None:
    pytest.importorskip("highspy")
    rng = random.Random(5)
    weights = tuple(rng.uniform(0.5, 1) for _ in range(60))
    pairs = tuple((a, b) for a in range(60) for b in range(a) if rng.random() < 0.4)
    for problem in (Problem(weights, pairs), *(random_problem(rng) for _ in range(20))):
        chosen = list(_exact(problem, 0.0))
        assert keeps(problem, chosen)
        assert total(problem, chosen) >= total(problem, solve(problem)) - 1e-9 > 0


def test_a_relation_brings_the_label_that_it_needs() -> None:
    # "Apple" as a fruit or as a company; a sure relation needs the company.
    fruit, company, person, works_for = range(4)
    problem = Problem(
        (0.60, 0.58, 0.95, 0.90),
        conflicts=((fruit, company),),
        needs=((works_for, (person,)), (works_for, (company,))),
    )
    assert solve(problem) == [company, person, works_for]


def test_a_ranked_finding_is_judged_after_those_before_it_whatever_it_needs() -> None:
    weak, sure, first, second = range(4)
    needs = ((first, (weak,)), (second, (sure,)))
    one = (Limit(1, ((first,), (second,))),)
    weights = (0.3, 0.9, 0.8, 0.7)
    assert solve(Problem(weights, needs=needs, limits=one)) == [weak, sure, second]
    ranked = Problem(weights, needs=needs, limits=one, ranked=((first, second),))
    assert solve(ranked) == [weak, sure, first]
    turned = Problem(weights, needs=needs, limits=one, ranked=((second, first),))
    assert solve(turned) == [weak, sure, second]


def test_a_sure_entity_stands_against_a_weak_relation() -> None:
    fruit, company, works_for = range(3)
    problem = Problem((0.95, 0.5, 0.6), ((fruit, company),), ((works_for, (company,)),))
    assert solve(problem) == [fruit]
    pytest.importorskip("highspy")
    assert solve(problem, "exact") == [company, works_for]  # 1.1 is more than 0.95


def test_what_cannot_be_added_takes_back_what_it_brought() -> None:
    # 2 needs 0 and 1, which conflict: neither is brought, and both are judged by themselves.
    problem = Problem((0.3, 0.2, 0.9), ((0, 1),), ((2, (0,)), (2, (1,))))
    assert solve(problem) == [0]
    limited = Problem((0.9, 0.5, 0.8), needs=((2, (1,)),), limits=(Limit(1, ((0,), (2,))),))
    assert solve(limited) == [0, 1]


def test_groups_count_once() -> None:
    problem = Problem((0.9, 0.8, 0.7), limits=(Limit(1, ((0, 1), (2,))),))
    assert solve(problem) == [0, 1]


def test_nothing_to_choose_from() -> None:
    assert solve(Problem(())) == []


def test_of_findings_that_are_one_the_best_counts() -> None:
    pytest.importorskip("highspy")
    twice = Problem((0.51, 0.72, 0.91), conflicts=((0, 2), (1, 2)), repeated=((0, 1),))
    assert solve(twice, "exact") == [2]
    assert solve(replace(twice, repeated=()), "exact") == [0, 1]


def test_exact_without_highspy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingExtra, match=r"onepass\[exact\]"):
        solve(Problem((0.5,)), "exact")


def test_the_exact_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("highspy")
    assert solve(Problem((0.9, 0.8), ((0, 1),)), "exact") == [0]
    assert capfd.readouterr() == ("", "")
