"""A reinforcement run put together: what takes the place of the parts of an ordinary one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from onepass.corpus.example import Example
from onepass.errors import InputError
from onepass.training.asking.means import SamplingOptions
from onepass.training.loop import LoopOptions, Outcome
from onepass.training.rl.config import RlOptions
from onepass.training.rl.feedback import Feedback
from onepass.training.rl.learner import Judges, Learner
from onepass.training.rl.loop import reinforce
from onepass.training.rl.policy import Policy
from onepass.training.rl.questions import TaskSampler
from onepass.training.rl.reference import FrozenCopy, OtherModel, Reference
from onepass.training.rl.rewards import build_rewards
from onepass.training.rl.scoring import HeldOutRewards
from onepass.training.rl.value import ValueModel
from onepass.training.sources import Sources
from onepass.training.stream import BatchOptions
from onepass.training.task import TrainingTask

Report = Callable[[str], None]


class Reinforcement:
    """A policy with everything that judges it.

    Args:
        policy: the checkpoint, before anything in it is changed: what is compared with it, and what
            starts from it, are copies of it as it is now.
        options: of reinforcement.
        threads: of the CPU, for a reference that is another model.

    Raises:
        InputError: if a reward is wrong.
        CheckpointError: if the reference is.
    """

    def __init__(self, policy: Policy, options: RlOptions, *, threads: int | None = None) -> None:
        self.policy, self.options = policy, options
        reference: Reference | None = None
        if options.reference is not None:
            reference = OtherModel(options.reference, threads=threads)
        elif options.kl >= 0:
            reference = FrozenCopy(policy)
        value = ValueModel(policy, own=options.value == "copy")
        self.judges = Judges(build_rewards(options), value, reference)

    def check(self, sources: Sources, report: Report) -> None:
        """Refuse data that nothing is learned from.

        Args:
            sources: the data.
            report: is told how many judged answers are about texts of the data.

        Raises:
            InputError: if no example has a task, or judged answers do not fit the data.
        """
        if not any(example.classifications for example in _examples(sources)):
            raise InputError(
                "'rl' learns to decide classification tasks, but no example of the data has one; "
                "give examples with 'classifications'."
            )
        path = self.options.feedback
        if path is not None:
            used, there = Feedback.read(Path(path)).check(_examples(sources))
            report(f"{path}: {used} of {there} judged answers are about texts of the data")

    def sampler(self, options: SamplingOptions) -> TaskSampler:
        """Return what draws questions."""
        return TaskSampler(options)

    def holdout(self, examples: Sequence[Example], options: BatchOptions) -> HeldOutRewards:
        """Return questions that the policy is scored on."""
        return HeldOutRewards(examples, self.policy, self.judges.rewards, options)

    def train(
        self,
        task: TrainingTask,
        loop: LoopOptions,
        output: Path,
        *,
        decay: float,
        resume: bool,
        report: Report,
        begun: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Train the policy; see `onepass.training.rl.loop.reinforce`.

        Args:
            task: the policy and its data.
            loop: how long and how often.
            output: directory of the run.
            decay: weight decay of the value model.
            resume: continue the run that is in ``output``.
            report: receives lines of progress.
            begun: is called before the first step, when nothing can be refused any more.
        """
        learner = Learner(self.policy, task.groups(), self.judges, self.options, loop, decay=decay)
        return reinforce(
            task,
            learner,
            loop,
            output,
            save_every=self.options.save_every,
            resume=resume,
            report=report,
            begun=begun,
        )


def _examples(sources: Sources) -> Iterator[Example]:
    for file in sources.files.values():
        yield from map(file.example, range(len(file)))
    yield from sources.held_out
