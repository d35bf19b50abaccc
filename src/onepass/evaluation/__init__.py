"""How good a model is: scores, speed and thresholds, on annotated examples and files."""

from onepass.evaluation.abstention import sweep_abstain
from onepass.evaluation.bootstrap import Difference, paired, rows_of
from onepass.evaluation.calibration import calibrate
from onepass.evaluation.comparison import compared_dict
from onepass.evaluation.files import SuiteReport, evaluate_paths, suite
from onepass.evaluation.gold_schema import schema_of
from onepass.evaluation.run import Report, evaluate
from onepass.evaluation.scoring import Scorers
from onepass.evaluation.thresholds import Sweep, sweep

__all__ = [
    "Difference",
    "Report",
    "Scorers",
    "SuiteReport",
    "Sweep",
    "calibrate",
    "compared_dict",
    "evaluate",
    "evaluate_paths",
    "paired",
    "rows_of",
    "schema_of",
    "suite",
    "sweep",
    "sweep_abstain",
]
