"""A classifier for scikit-learn: labels are read by their names, nothing is learned from texts.

``fit`` only notes the labels, so that the classifier fits where one is expected: in a pipeline, a
search over its settings, a cross-validation beside trained ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from onepass.arrays import Array, Float64s
from onepass.batch.answering import Request
from onepass.errors import InputError, MissingExtra
from onepass.integrations.opening import extractor_of
from onepass.models.texts import checked_texts
from onepass.schema import Schema
from onepass.schema.options import CallOptions, OnLong

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtra("The classifier for scikit-learn", "sklearn") from error

if TYPE_CHECKING:
    from onepass.extractor import Extractor


class OnepassClassifier(ClassifierMixin, BaseEstimator):
    """Chooses one label for each text, by what the labels mean.

    Args:
        task: name of the question, which the model reads, such as "sentiment".
        descriptions: label to what it means, or None. What names none of the labels of ``fit`` is
            not used, which a warning says: a part of the texts may lack a label.
        model: an `Extractor`, a hub id or a directory; None for the built-in model.
        on_long: as in `Extractor.extract`. Its ``threshold``, ``overlap`` and ``solver`` change no
            probabilities of one task, and are left out.

    Attributes:
        classes_: the labels, sorted.

    >>> classifier = OnepassClassifier("topic").fit(["", ""], ["sport", "politics"])
    >>> classifier.predict(["The minister lost the vote in parliament."]).tolist()
    ['politics']
    """

    def __init__(
        self,
        task: str = "class",
        *,
        descriptions: Mapping[str, str] | None = None,
        model: Extractor | str | None = None,
        on_long: OnLong = "window",
    ) -> None:
        self.task = task
        self.descriptions = descriptions
        self.model = model
        self.on_long = on_long

    # X is what scikit-learn calls the texts, and gives by this name.
    def fit(self, X: Any, y: Any) -> OnepassClassifier:  # noqa: N803
        """Note the labels.

        Args:
            X: (texts,) as many as there are labels; they are not read.
            y: (texts,) labels, of which the distinct ones count.

        Raises:
            InputError: if there are no labels, not as many as texts, or of several kinds; or if
                the descriptions are no mapping, or ``on_long`` is not known.
        """
        texts, labels = _texts(X), np.asarray(y)
        if labels.dtype == object and not all(isinstance(label, str) for label in labels.flat):
            raise InputError("The labels must be of one kind, texts or numbers, none of them None.")
        if labels.ndim != 1 or not len(labels) or len(labels) != len(texts):
            raise InputError(
                f"fit takes as many labels as texts, and one or more, but {len(texts)} texts and "
                f"labels of shape {labels.shape} were given."
            )
        self.classes_ = np.unique(labels)
        self._names = [str(label) for label in self.classes_]
        self._task = self.task  # which scikit-learn may set anew, for the next fit
        schema = Schema().classification(self._task, self._asked()).checked()
        self._request = Request(schema, CallOptions(on_long=self.on_long))
        self._model = extractor_of(self.model)
        return self

    def _asked(self) -> dict[str, str | None]:
        means = {} if self.descriptions is None else self.descriptions
        if not isinstance(means, Mapping):
            raise InputError(f"descriptions must be a mapping, but {means!r:.60} was given.")
        told = {str(name): meaning for name, meaning in means.items()}  # labels may be numbers
        unused = [name for name in told if name not in self._names]
        if unused:
            warnings.warn(
                f"descriptions has {unused[0]!r:.60}, which is none of the labels "
                f"({', '.join(self._names):.200}), and is not used; spell it as a label.",
                stacklevel=3,
            )
        return {name: told.get(name) for name in self._names}

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Return the best label of each text: (texts,)."""
        check_is_fitted(self)
        best: Array = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return best

    def predict_proba(self, X: Any) -> Float64s:  # noqa: N803
        """Return the probabilities of the labels: (texts, labels), each row adds up to 1."""
        check_is_fitted(self)
        rows = [
            [doc.classifications[self._task].scores[name] for name in self._names]
            for doc in self._request.stream(self._model, _texts(X))
        ]
        scores = np.array(rows, dtype=np.float64).reshape(len(rows), len(self._names))
        total: Float64s = scores / scores.sum(axis=1, keepdims=True)
        return total

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn that texts are read, and that nothing is learned from them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.no_validation = True
        return tags


def _texts(given: Any) -> Sequence[str]:
    """Return texts as a list, whatever sequence they came in.

    Raises:
        InputError: if they are not one row of strings; a table is none.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(
            f"The texts must be a list or a column of strings, but {given!r:.60} was given."
        )
    return list(checked_texts(given))
