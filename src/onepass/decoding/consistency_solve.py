"""Which findings hold together: a choice of weighted findings under constraints.

Greedy, best first; or exact, as a mixed-integer program for HiGHS (Huangfu and Hall, 2018). It
knows nothing of entities, relations or texts: findings are numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from onepass.errors import MissingExtra

Solver = Literal["greedy", "exact"]
SOLVERS: tuple[Solver, ...] = get_args(Solver)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` of the groups have a finding that is chosen."""

    most: int
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Findings and what they have to keep.

    Attributes:
        weights: of each finding, above 0; what is chosen has the largest sum.
        conflicts: pairs of which at most one is chosen.
        needs: (finding, others): it is chosen only if one of the others is. Those others need
            nothing themselves.
        limits: how many groups may hold.
        late: findings that the greedy choice judges after all others.
        ranked: rows of findings, each of which the greedy choice judges after those before it,
            whatever they need.
    """

    weights: tuple[float, ...]
    conflicts: tuple[tuple[int, int], ...] = ()
    needs: tuple[tuple[int, tuple[int, ...]], ...] = ()
    limits: tuple[Limit, ...] = ()
    late: frozenset[int] = frozenset()
    ranked: tuple[tuple[int, ...], ...] = ()


def keeps(problem: Problem, chosen: Iterable[int]) -> bool:
    """Return whether a choice keeps every constraint.

    >>> keeps(Problem((0.9, 0.8), conflicts=((0, 1),)), [0, 1])
    False
    """
    held = set(chosen)
    return (
        not any(a in held and b in held for a, b in problem.conflicts)
        and not any(v in held and held.isdisjoint(others) for v, others in problem.needs)
        and all(
            sum(not held.isdisjoint(group) for group in limit.groups) <= limit.most
            for limit in problem.limits
        )
    )


def solve(problem: Problem, solver: Solver = "greedy") -> list[int]:
    """Return the findings that are chosen, in ascending order.

    Args:
        problem: findings and constraints.
        solver: "greedy": best first, a finding together with what it needs, by the mean of their
            weights; what does not fit what was chosen is left out. "exact": the largest sum.

    Raises:
        MissingExtra: if "exact" is asked and highspy is not installed.

    >>> crossed = Problem((0.9, 0.8, 0.7), conflicts=((0, 1), (0, 2)))
    >>> solve(crossed)
    [0]
    """
    if not problem.weights:
        return []
    return sorted(_exact(problem) if solver == "exact" else _Greedy(problem).run())


class _Greedy:
    """The state of a greedy choice."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.chosen: set[int] = set()
        self.rivals: dict[int, set[int]] = defaultdict(set)
        for a, b in problem.conflicts:
            self.rivals[a].add(b)
            self.rivals[b].add(a)
        self.needs: dict[int, list[list[int]]] = defaultdict(list)
        for finding, others in problem.needs:
            best_first = sorted(others, key=lambda other: (-problem.weights[other], other))
            self.needs[finding].append(best_first)
        self.groups: dict[int, list[tuple[int, int]]] = defaultdict(list)  # (limit, group)
        for number, limit in enumerate(problem.limits):
            for place, group in enumerate(limit.groups):
                for finding in group:
                    self.groups[finding].append((number, place))
        self.held: list[set[int]] = [set() for _ in problem.limits]  # groups that hold

    def run(self) -> set[int]:
        weights, late = self.problem.weights, self.problem.late

        def rank(finding: int) -> tuple[bool, float, int, int]:
            best = [weights[others[0]] for others in self.needs[finding] if others]
            mean = (weights[finding] + sum(best)) / (1 + len(best))
            # Of equal ones, those that bring others first.
            return finding in late, -mean, -len(best), finding

        ranks = [(rank(finding), 0) for finding in range(len(weights))]
        for row in self.problem.ranked:
            for place, (one, other) in enumerate(pairwise(row), 1):
                ranks[other] = max(ranks[other][0], ranks[one][0]), place
        for finding in sorted(range(len(weights)), key=ranks.__getitem__):
            self._try(finding)
        return self.chosen

    def _try(self, finding: int) -> None:
        """Add a finding and what it needs, or nothing."""
        if finding in self.chosen:
            return
        added: list[int] = []
        for others in self.needs[finding]:
            if self.chosen.isdisjoint(others) and not any(self._add(one, added) for one in others):
                break
        else:
            if self._add(finding, added):
                return
        for one in added:
            self.chosen.discard(one)
        self._count_anew(added)

    def _add(self, finding: int, added: list[int]) -> bool:
        """Add one finding if it fits."""
        if not self.rivals[finding].isdisjoint(self.chosen):
            return False
        for number, place in self.groups[finding]:
            held = self.held[number]
            if place not in held and len(held) >= self.problem.limits[number].most:
                return False
        self.chosen.add(finding)
        added.append(finding)
        for number, place in self.groups[finding]:
            self.held[number].add(place)
        return True

    def _count_anew(self, removed: list[int]) -> None:
        """Forget the groups that held by what was taken back only."""
        for number in {number for one in removed for number, _ in self.groups[one]}:
            self.held[number] = {
                place
                for place, group in enumerate(self.problem.limits[number].groups)
                if not self.chosen.isdisjoint(group)
            }


def check_solver() -> None:
    """Refuse the exact solver where it is not installed.

    Raises:
        MissingExtra: naming the extra.
    """
    _highspy()


def _highspy() -> Any:
    try:
        import highspy
    except ImportError as error:
        raise MissingExtra("An exact choice of dependent findings", "exact") from error
    return highspy


def _silent_model() -> Any:
    """Return an empty program of HiGHS that writes nothing to the standard output."""
    highspy = _highspy()

    class Silent(highspy.Highs):  # type: ignore[misc, name-defined]
        # The constructor calls this, and the first call of any kind prints a banner.
        def enableCallbacks(self) -> None:  # noqa: N802
            self.silent()
            super().enableCallbacks()

    model = Silent()
    model.silent()  # for a version whose constructor calls nothing
    return model


def _exact(problem: Problem) -> set[int]:
    """Return the choice with the largest sum of weights."""
    model = _silent_model()
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("threads", 1)
    holds = model.addBinaries(len(problem.weights))
    for a, b in problem.conflicts:
        model.addConstr(holds[a] + holds[b] <= 1)
    for finding, others in problem.needs:
        model.addConstr(holds[finding] <= model.qsum([holds[other] for other in others]))
    for limit in problem.limits:
        flags = []
        for group in limit.groups:
            if len(group) == 1:
                flags.append(holds[group[0]])
                continue
            flags.append(model.addBinary())
            for finding in group:
                model.addConstr(holds[finding] <= flags[-1])
        model.addConstr(model.qsum(flags) <= limit.most)
    weighted = [weight * holds[i] for i, weight in enumerate(problem.weights)]
    model.maximize(model.qsum(weighted))
    values = [model.variableValue(one) for one in holds]
    return {finding for finding, value in enumerate(values) if value > 0.5}
