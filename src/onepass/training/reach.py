"""Values that a run does not learn from: behind the cut of their text, or too wide to be scored.

It knows neither the loop nor how a family makes its passes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from onepass.training.sampling import Sampler
from onepass.training.sources import Sources
from onepass.training.stream import passes_of
from onepass.training.trainee import Trainee

_LOOKED_AT = 2000  # examples of all files together
_OF_EACH = 20  # and at least so many of each file


def tell_of_reach(
    sources: Sources,
    sampler: Sampler,
    trainee: Trainee,
    max_pieces: int,
    report: Callable[[str], None],
) -> None:
    """Say how many values are not learned from, since texts are cut or spans are too wide.

    Args:
        sources: what is learned from; examples from all over each file are looked at.
        sampler: asks of them what the run asks.
        trainee: the checkpoint.
        max_pieces: longest sequence, prompt included.
        report: is told, if there are any.
    """
    answers = behind = wide = 0
    rng = random.Random(0)  # not that of the run, which draws the same with and without this
    most = max(_LOOKED_AT // len(sources.files), _OF_EACH)
    for file in sources.files.values():
        for index in range(0, len(file), -(-len(file) // most)):
            question = sampler.question(file.example(index), rng, file.path.stem)
            for one in passes_of(question, trainee.ask, max_pieces, file.place(index)):
                for reach in trainee.reach(one):
                    answers += reach.answers
                    behind += reach.behind
                    wide += reach.wide
    if behind:
        more = "" if trainee.longest == max_pieces else ", or raise max_pieces"
        report(
            f"{behind} of {answers} values that were looked at stand behind the place where their "
            f"texts are cut (max_pieces is {max_pieces}) and are not learned from; split the texts"
            f"{more}."
        )
    if wide:
        report(
            f"{wide} of {answers} values that were looked at are wider than this checkpoint's "
            "max_width and are not learned from."
        )
