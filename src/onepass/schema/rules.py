"""What a value of a field must be: its kind, and the bounds that candidates have to keep.

Rules are data. Texts are read as values, and candidates compared with rules, by
`onepass.typed.values`; this module knows no text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal, get_args

from onepass.errors import MissingExtra, SchemaError
from onepass.schema.bounds import check_ends
from onepass.schema.json_rules import write_rules
from onepass.schema.shown import shown

Kind = Literal[
    "text", "integer", "number", "decimal", "date", "datetime", "money", "quantity", "phone",
    "email", "url", "iban",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Order = Literal["DMY", "MDY", "YMD"]
ORDERS: tuple[Order, ...] = get_args(Order)
Bound = int | float | str  # a str for a date, or where a float would not be exact

_PACKAGES = {"money": "price_parser", "phone": "phonenumbers", "iban": "stdnum"}
BOUNDED = ("integer", "number", "decimal", "date", "datetime", "money", "quantity")
DATED = ("date", "datetime")
BOUNDS = ("ge", "gt", "le", "lt")
_COUNTS = ("min_length", "max_length", "min_items", "max_items")


def _check_one_of(value: object, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise SchemaError(
            f"{name} must be one of {', '.join(allowed)}, but {shown(value)} was given."
        )


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str):
        raise SchemaError(f"pattern must be a string, but {shown(pattern)} was given.")
    problem = pattern_problem(pattern)
    if problem is not None:
        raise SchemaError(f"The pattern {shown(pattern)} is not a regular expression: {problem}.")


def pattern_problem(pattern: str) -> str | None:
    r"""Return why Python's engine refuses a regular expression; None if it does not.

    >>> pattern_problem(r"\p{L}+"), pattern_problem(r"\w+")
    ('bad escape \\p at position 0', None)
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


def check_count(value: object, least: int, what: str) -> int:
    """Return ``value`` if it is a whole number, as JSON has them: 2.0 is one.

    Raises:
        SchemaError: if it is not, or below ``least``.

    >>> check_count(2.0, 1, "The count")
    2
    """
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if type(whole) is not int or whole < least:
        raise SchemaError(
            f"{what} must be a whole number from {least} up, but {shown(value)} was given."
        )
    return whole


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_region(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Za-z]{2}", value) is not None


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except (InvalidOperation, ValueError):  # no number; an int of thousands of digits
        return False


def _checked_labels(values: object) -> tuple[str, ...]:
    """Return labels of entities from a list or a single name."""
    names = (values,) if isinstance(values, str) else values
    if not isinstance(names, list | tuple) or not all(_is_name(name) for name in names):
        raise SchemaError(f"labels must be names of entity labels, but {shown(values)} was given.")
    if len(set(names)) < len(names):
        raise SchemaError(f"labels must be distinct, but {shown(values)} was given.")
    return tuple(names)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _check_bound(value: object, name: str, kind: Kind) -> None:
    if kind not in BOUNDED:
        raise SchemaError(
            f"{name} bounds numbers and dates, but the kind is {kind!r}; give a kind such as "
            "'number'."
        )
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if kind in DATED:
        fits = isinstance(value, str) and _is_iso(value)
    else:
        fits = (number or isinstance(value, str)) and _is_number(value)
    if fits:
        return
    wanted = "a date as ISO text" if kind in DATED else "a number"
    raise SchemaError(f"{name} must be {wanted}, but {shown(value)} was given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a value must be; may also stand in ``Annotated[...]`` of a Pydantic field.

    Attributes:
        kind: the kind of value that the text is read as: "text", "integer", "number", "decimal",
            "date", "datetime", "money", "quantity", "phone", "email", "url" or "iban". A candidate
            that cannot be read is chosen only where no readable one is left.
        pattern: a regular expression that has to occur in the text of the value.
        ge: the least value; for dates as ISO text, as in the next three.
        gt: a bound that a value must be above.
        le: the greatest value.
        lt: a bound that a value must be below.
        min_length: the fewest characters of the text.
        max_length: the most characters of the text.
        min_items: the fewest values of a list. It is only checked where instances are made:
            nothing is made up to reach it.
        max_items: the most values of a list, of which the best are kept.
        exclusive: whether a place in the text may fill this field in one record only.
        region: the country whose national phone numbers are read, such as "CH".
        order: the order of day, month and year in a date like 3/4/2024: "DMY", "MDY" or "YMD"; None
            leaves such a date unread.
        labels: the entity labels of which a value must have one; empty to allow any span. They must
            be asked for, too.

    Raises:
        SchemaError: naming the rule that cannot be kept, or two that no value keeps.

    >>> Rules(kind="integer", ge=1).given()
    {'kind': 'integer', 'ge': 1}
    >>> Rules(pattern="(")
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: The pattern '(' is not a regular expression: missing ), \
unterminated subpattern at position 0.
    """

    kind: Kind = "text"
    pattern: str | None = None
    ge: Bound | None = None
    gt: Bound | None = None
    le: Bound | None = None
    lt: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    exclusive: bool = False
    region: str | None = None
    order: Order | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _checked_labels(self.labels))
        _check_one_of(self.kind, KINDS, "kind")
        if self.order is not None:
            _check_one_of(self.order, ORDERS, "order")
        if self.pattern is not None:
            _check_pattern(self.pattern)
        if not isinstance(self.exclusive, bool):
            raise SchemaError(f"exclusive must be true or false, but {shown(self.exclusive)} is.")
        if self.region is not None and not _is_region(self.region):
            raise SchemaError(
                f"region must be the two letters of a country, such as 'CH', but "
                f"{shown(self.region)} was given."
            )
        values = dict(zip(RULE_KEYS, _held(self), strict=True))
        for name in _COUNTS:
            if values[name] is not None:
                object.__setattr__(self, name, check_count(values[name], 0, name))
        for name in BOUNDS:
            if values[name] is not None:
                _check_bound(values[name], name, self.kind)
        check_ends(values, dated=self.kind in DATED)

    @property
    def bounds(self) -> dict[str, Bound]:
        """The bounds that were given, by their names."""
        return {name: value for name, value in self.given().items() if name in BOUNDS}

    def given(self) -> dict[str, Any]:
        """Return the rules that are not defaults, by their names."""
        held = zip(RULE_KEYS, _held(self), strict=True)
        return {name: value for name, value in held if value != _DEFAULTS[name]}

    def with_(self, changes: dict[str, Any]) -> Rules:
        """Return rules in which some are replaced.

        >>> Rules(kind="integer").with_({"ge": 0}).given()
        {'kind': 'integer', 'ge': 0}
        """
        return Rules(**{**self.given(), **changes})

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Write the rules into the JSON Schema of a model that has them in a field."""
        return write_rules(handler(core), self.given())


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Rules)}
RULE_KEYS: tuple[str, ...] = tuple(_DEFAULTS)
_held = attrgetter(*RULE_KEYS)
NO_RULES = Rules()


def check_packages(rules: Rules) -> None:
    """Refuse a kind whose library is not installed.

    Raises:
        MissingExtra: naming the extra to install.

    >>> check_packages(Rules(kind="integer"))
    """
    package = _PACKAGES.get(rules.kind)
    if package is not None and find_spec(package) is None:
        raise MissingExtra(f"Reading values of the kind {rules.kind!r}", "values")


def check_labels(rules: Rules, asked: Collection[str], field: str) -> None:
    """Refuse rules with an entity label that nobody asks for.

    Args:
        rules: of a field.
        asked: the entity labels of the schema.
        field: its name.

    Raises:
        SchemaError: naming the label.

    >>> check_labels(Rules(labels=("company",)), ["person"], "employer")
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: The field 'employer' takes values that are 'company', which is no \
entity label of the schema; add it to the entities.
    """
    for label in rules.labels:
        if label not in asked:
            raise SchemaError(
                f"The field {shown(field)} takes values that are {shown(label)}, which is no "
                "entity label of the schema; add it to the entities."
            )


class _Amount:
    """A number with what it counts: compared with a plain number, as bounds are, by the number."""

    __slots__ = ()
    amount: Decimal
    _kind: ClassVar[Kind]

    def __lt__(self, other: object) -> bool:
        return self.amount < _plain(other) if _is_plain(other) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.amount <= _plain(other) if _is_plain(other) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.amount > _plain(other) if _is_plain(other) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.amount >= _plain(other) if _is_plain(other) else NotImplemented

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        """Say the kind in the JSON Schema of a model, by which it is read as one value again."""
        data = handler.resolve_ref_schema(handler(core))
        data.pop("description", None)  # of this class, not of the field that would be asked with it
        return {**data, "format": cls._kind}


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _plain(value: object) -> Decimal:
    return Decimal(str(value))  # as written: 0.1 is not a binary fraction


@dataclass(frozen=True, slots=True)
class Money(_Amount):
    """An amount of money; the currency is an ISO 4217 code where it can be told, else as written.

    Attributes:
        amount: the number.
        currency: an ISO 4217 code such as "EUR", or the words of the text; None if there are none.

    >>> from decimal import Decimal
    >>> str(Money(Decimal("9.50"), "EUR")), Money(Decimal("9.50"), "EUR") >= 9
    ('9.50 EUR', True)
    """

    _kind: ClassVar[Kind] = "money"
    amount: Decimal
    currency: str | None = None

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}" if self.currency else str(self.amount)


@dataclass(frozen=True, slots=True)
class Quantity(_Amount):
    """A number with its unit as written.

    Attributes:
        amount: the number.
        unit: the unit in the words of the text; None if there are none.

    >>> from decimal import Decimal
    >>> str(Quantity(Decimal("2.5"), "kg")), Quantity(Decimal("2.5"), "kg") < 2
    ('2.5 kg', False)
    """

    _kind: ClassVar[Kind] = "quantity"
    amount: Decimal
    unit: str | None = None

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}" if self.unit else str(self.amount)


Phone = Annotated[str, Rules(kind="phone")]
Email = Annotated[str, Rules(kind="email")]
Url = Annotated[str, Rules(kind="url")]
Iban = Annotated[str, Rules(kind="iban")]
