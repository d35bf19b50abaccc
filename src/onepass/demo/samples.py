"""Questions that the page offers to click, one table for each tab.

The texts are made up. The built-in model gets most of each right, not all.
"""

from __future__ import annotations

from typing import NamedTuple

from onepass.schema.options import Overlap


class EntitySample(NamedTuple):
    """What the tab of entities is filled with."""

    text: str
    labels: str
    threshold: str = ""
    overlap: Overlap = "flat"


class TaskSample(NamedTuple):
    """What the tab of classes is filled with."""

    text: str
    name: str
    labels: str
    several: bool = False
    none: bool = False
    threshold: str = ""


class StructureSample(NamedTuple):
    """What the tab of structures is filled with."""

    text: str
    name: str
    fields: str
    threshold: str = ""


class ComposedSample(NamedTuple):
    """What the tab that composes all kinds is filled with."""

    text: str
    labels: str
    tasks: str
    structures: str
    relations: str
    threshold: str = ""
    overlap: Overlap = "flat"


ENTITIES = {
    "News": EntitySample(
        "Tim Cook announced the iPhone 15 for $999 in Cupertino yesterday. A day later, Samsung "
        "said in Seoul that its new phone will cost $899.",
        "person\ncompany\nproduct\nlocation\nprice = an amount of money that something costs",
    ),
    "Medicine": EntitySample(
        "The patient takes 20 mg of lisinopril once a day for high blood pressure and was given "
        "amoxicillin for ten days after a throat infection.",
        "drug = name of a medicine\ndose\ndisease = an illness or condition\nduration",
    ),
    "Nested": EntitySample(
        "The university and the Bank of England in London hired Maria Rossi.",
        "organization\nlocation",
        "location = 0.1",
        "nested",
    ),
}
TASKS = {
    "Sentiment": TaskSample(
        "The room was small and loud, and nobody at the desk could help us. Never again.",
        "sentiment",
        "positive\nnegative\nneutral",
    ),
    "Topics": TaskSample(
        "The central bank raised interest rates, and shares of football clubs fell.",
        "topics",
        "economy = money, banks, trade\nsports\npolitics\nscience\nweather",
        several=True,
    ),
    "Ticket, or none": TaskSample(
        "Which paint did you use for the blue wall?",
        "request",
        "refund = the customer wants money back\ndelivery = a parcel is late or lost\n"
        "password = the customer cannot log in",
        none=True,
    ),
}
STRUCTURES = {
    "Product": StructureSample(
        "The Aurora desk lamp costs $49 and comes in black and white. The Nova floor lamp is "
        "$120, in brass only.",
        "product",
        "name::str::full product name\nprice::str\ncolor::list",
    ),
    "Invoice": StructureSample(
        "Invoice INV-2024-118 from Nordlicht GmbH, issued on 3 May 2024. Total: €1,299.00.",
        "invoice",
        "number::str\nsupplier::str\nissue date::str\ntotal::str",
    ),
    "Contact, with a choice": StructureSample(
        "Dr. Maria Rossi is a senior cardiologist at St. Mary's Hospital. Call 212-555-0100.",
        "contact",
        "name::str\nworkplace::str\nphone::str\nprofession::[doctor|lawyer|teacher]::str",
    ),
}
COMPOSED = {
    "Everything at once": ComposedSample(
        "John Smith works for Acme Corp and is happy with his new lamp. The Aurora desk lamp "
        "costs $49 and comes in black and white.",
        "person\ncompany",
        "sentiment = positive, negative, neutral",
        "product: name::str::full product name, price, color::list",
        "works for = a person is employed by a company",
    ),
    "A takeover": ComposedSample(
        "Maria Rossi, who founded Helio Labs in Milan, sold the company to Northwind for $40 "
        "million on Monday.",
        "person\ncompany\nlocation\namount of money",
        "topic = business, sports, politics",
        "",
        "founded = a person founded a company\nbought = a company bought another company",
        "relations = 0.3",
    ),
}
