"""Which findings hold together: a choice of weighted findings under constraints.

Greedy, best first; or exact, as a mixed-integer program for HiGHS (Huangfu and Hall, 2018). It
knows nothing of entities, relations or texts: findings are numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from onepass.errors import MissingExtra
from onepass.schema.options import Solver

SECONDS = 10.0  # that HiGHS may take for one choice


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
        repeated: findings that are one, of which the best that is chosen counts; no two of these
            groups share one.
    """

    weights: tuple[float, ...]
    conflicts: tuple[tuple[int, int], ...] = ()
    needs: tuple[tuple[int, tuple[int, ...]], ...] = ()
    limits: tuple[Limit, ...] = ()
    late: frozenset[int] = frozenset()
    ranked: tuple[tuple[int, ...], ...] = ()
    repeated: tuple[tuple[int, ...], ...] = ()

    def total(self, chosen: Collection[int]) -> float:
        """Return the sum of the weights of what is chosen.

        >>> Problem((0.5, 0.25, 0.125), repeated=((0, 1),)).total([0, 1, 2])
        0.625
        """
        twice = 0.0
        for group in self.repeated:
            held = sorted(self.weights[one] for one in group if one in chosen)
            twice += sum(held[:-1])
        return sum(self.weights[one] for one in chosen) - twice


def solve(problem: Problem, solver: Solver = "greedy") -> list[int]:
    """Return the findings that are chosen, in ascending order.

    Args:
        problem: findings and constraints.
        solver: "greedy": best first, a finding together with what it needs, by the mean of their
            weights; what does not fit what was chosen is left out. "exact": the largest sum, or the
            largest that was found in `SECONDS`.

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


def _exact(problem: Problem, seconds: float = SECONDS) -> set[int]:
    """Return the choice with the largest sum of weights.

    Args:
        problem: findings and constraints.
        seconds: after which the best choice so far is taken, or the greedy one if that is better.
    """
    highspy = _highspy()
    model = _silent_model()
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("threads", 1)
    model.setOptionValue("time_limit", seconds)
    count = _add_program(model, problem)
    model.changeColsIntegrality(
        count, np.arange(count, dtype=np.int32), np.full(count, highspy.HighsVarType.kInteger)
    )
    model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    model.run()
    chosen: set[int] = set()
    if model.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = model.getSolution().col_value[: len(problem.weights)]
        chosen = {finding for finding, value in enumerate(values) if value > 0.5}
    if model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        return chosen
    greedy = _Greedy(problem).run()
    return max(chosen, greedy, key=problem.total)


def _add_program(model: Any, problem: Problem) -> int:
    """Add the columns and rows of a problem, all at once: there may be millions.

    Returns:
        The number of columns: one for each finding, then one for each group of several, and for
        each finding that is repeated, which takes over its weight: that of one in a group counts.
    """
    columns, rows, most = len(problem.weights), list[dict[int, float]](), list[float]()
    for finding, others in problem.needs:
        rows.append({finding: 1.0, **dict.fromkeys(others, -1.0)})
        most.append(0.0)
    for limit in problem.limits:
        flags = []
        for group in limit.groups:
            if len(group) == 1:
                flags.append(group[0])
                continue
            flags.append(columns)
            columns += 1
            rows += [{finding: 1.0, flags[-1]: -1.0} for finding in group]
            most += [0.0] * len(group)
        rows.append(dict.fromkeys(flags, 1.0))
        most.append(float(limit.most))
    costs = dict(enumerate(problem.weights))
    for group in problem.repeated:
        counted = range(columns, columns + len(group))
        columns += len(group)
        rows += [{one: 1.0, finding: -1.0} for one, finding in zip(counted, group, strict=True)]
        rows.append(dict.fromkeys(counted, 1.0))
        most += [*[0.0] * len(group), 1.0]
        costs |= zip(counted, [costs[finding] for finding in group], strict=True)
        costs |= dict.fromkeys(group, 0.0)
    pairs = np.array(problem.conflicts, dtype=np.int32).reshape(-1, 2)
    sizes = np.array([2] * len(pairs) + [len(row) for row in rows], dtype=np.int32)
    places = [place for row in rows for place in row]
    factors = [factor for row in rows for factor in row.values()]
    model.addVars(columns, np.zeros(columns), np.ones(columns))
    numbers = np.array(list(costs), dtype=np.int32)
    model.changeColsCost(len(numbers), numbers, np.array(list(costs.values()), dtype=np.float64))
    model.addRows(
        len(sizes),
        np.full(len(sizes), -np.inf),
        np.array([1.0] * len(pairs) + most, dtype=np.float64),
        int(sizes.sum()),
        np.cumsum(sizes, dtype=np.int32) - sizes,
        np.concatenate([pairs.ravel(), np.array(places, dtype=np.int32)]),
        np.concatenate([np.ones(2 * len(pairs)), np.array(factors, dtype=np.float64)]),
    )
    return columns
