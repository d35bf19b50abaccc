"""An invoice becomes an instance of a Pydantic class, which refuses what cannot be.

This invoice has a mistake: its payment is due before it was issued. That cannot be, says the class,
so that the field `due` stays empty and the error says what stood there.

    pip install 'onepass[values]'
    python examples/invoice.py
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from onepass import Extractor
from onepass.typed import Money

TEXT = """Nordlicht GmbH, Hamburg
Invoice no. INV-2024-118
Invoice date: 3 May 2024
Payment due: 2 April 2024

Items:
- 3 desk lamps
- 2 floor lamps

Total amount: EUR 1,299.00
"""


class Item(BaseModel):
    product: str
    quantity: int = Field(1, ge=1)


class Invoice(BaseModel):
    number: str
    supplier: str
    issued: date
    due: date | None = None
    total: Money
    items: list[Item] = []

    @field_validator("due")
    @classmethod
    def after_issue(cls, due: date | None, info: ValidationInfo) -> date | None:
        """Refuse a day that is not after the day of issue."""
        if due is not None and "issued" in info.data and due <= info.data["issued"]:
            raise ValueError("payment is due after the day of issue")
        return due


def main() -> None:
    """Read the invoice; print it, where each value comes from, and what was refused."""
    doc = Extractor().extract(TEXT, Invoice)
    invoice = doc.value
    if invoice is not None:
        print(f"{invoice.number} of {invoice.supplier}, {invoice.issued}, due {invoice.due}")
        print(f"total {invoice.total.amount} {invoice.total.currency}")
        for item in invoice.items:
            print(f"item {item.quantity} x {item.product}")
    for path, value in doc.evidence.items():
        print(f"{path} = {value.text!r}, {value.start}:{value.end}, score {value.score:.2f}")
    for error in doc.errors:
        print(f"look at {error.path}: {error.text!r}: {error.message}")


if __name__ == "__main__":
    main()
