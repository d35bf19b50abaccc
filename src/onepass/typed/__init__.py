"""Values of types: what texts say, read as numbers, dates, amounts and instances of models."""

from onepass.schema.rules import Email, Iban, Money, Phone, Quantity, Rules, Url
from onepass.typed.result import FieldError, TypedExtraction
from onepass.typed.stored import read_typed

__all__ = [
    "Email",
    "FieldError",
    "Iban",
    "Money",
    "Phone",
    "Quantity",
    "Rules",
    "TypedExtraction",
    "Url",
    "read_typed",
]
