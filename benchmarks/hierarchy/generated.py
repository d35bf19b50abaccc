"""Texts with records on three levels, made up from a grammar: the same texts on every machine.

Every domain has a list, a table-like and a prose layout; a text holds one or two outermost records.
What was generated is written to ``data/nested.jsonl.gz`` by build.py. The words are not those of
`onepass.corpus.synthesis`, which the built-in model is trained with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

_FIRST = (
    "Ilse", "Marek", "Oyelaran", "Tuva", "Benedikt", "Yuna", "Ferran", "Siobhan", "Kofi", "Petra",
    "Anselm", "Noor",
)  # fmt: skip
_LAST = (
    "Brandt", "Havel", "Adeyo", "Nyhus", "Kramer", "Sato", "Puig", "Keane",
    "Mensah", "Vuk", "Lorentz", "Rahal",
)  # fmt: skip
_PRODUCTS = (
    "oak desk", "reading lamp", "office chair", "espresso machine", "rain jacket", "trekking boots",
    "bread oven", "cargo bike", "projector", "bookcase", "water filter", "sleeping bag",
)  # fmt: skip
_OPTIONS = (
    "cable tray", "drawer lock", "gift wrapping", "extended warranty", "engraving", "spare blade",
    "express delivery", "lumbar support", "carrying case", "second battery", "wall mount",
)  # fmt: skip
_EVENTS = (
    "Harbor Data Days", "Nordic Soil Forum", "Glassworks Summit", "Riverside Book Fair",
    "Alpine Rail Congress", "Open Kitchen Meetup",
)  # fmt: skip
_VENUES = ("Kellner Hall", "the Old Customs House", "Pier 9", "the Botanical Institute", "Studio K")
_SESSIONS = (
    "Maps without borders", "What the mud remembers", "Night trains again", "Scaling small teams",
    "Glass and light", "Fermentation at home", "Signals in the noise", "The quiet archive",
    "Bridges that last",
)  # fmt: skip
_PLACES = (
    "Varna Polytechnic", "Lumen Labs", "the City Archive", "Tidewater Press", "Sundt & Partners",
    "the Meteorological Office", "Oakfield College", "Brightwell Clinic",
)  # fmt: skip
_FIRMS = (
    "Halvorsen Optics",
    "Quill Robotics",
    "Marlow Foods",
    "Terrane Energy",
    "Copperleaf Media",
)
_CITIES = ("Bergen", "Ghent", "Porto", "Graz", "Galway", "Turku")
_DEPARTMENTS = ("Sensor Design", "Field Service", "Packaging", "Customer Care", "Procurement",
                "Quality Control", "Press Office")  # fmt: skip
_PROJECTS = (
    "Bluefin", "Paper Crane", "Second Wind", "Lighthouse", "Hazelnut", "Granite", "Open Gate",
    "Silver Thread", "Monsoon",
)  # fmt: skip
_DAYS = ("3 May", "17 June", "end of August", "12 October", "mid November", "30 January")
_COUNTS = ("one", "two", "three", "four")


def generate(count: int, *, seed: int = 7) -> Iterator[Row]:
    """Yield rows with ``text``, ``shape`` and ``records`` (nested, values in words).

    >>> row = next(generate(1))
    >>> sorted(row)
    ['records', 'shape', 'source', 'text']
    """
    rng = random.Random(seed)
    makers = (_orders, _events, _companies)
    for number in range(count):
        shape, text, records = makers[number % 3](rng, (number // 3) % 3, 1 + (rng.random() < 0.4))
        yield {"text": text, "shape": shape, "records": records, "source": f"nested_{shape}"}


def _names(rng: random.Random, count: int) -> list[str]:
    """Return full names that share no part."""
    pairs = zip(rng.sample(_FIRST, count), rng.sample(_LAST, count), strict=True)
    return [f"{first} {last}" for first, last in pairs]


def _spread(rng: random.Random, pool: tuple[str, ...], sizes: list[int]) -> list[list[str]]:
    """Return distinct words of a pool, as many groups as there are sizes."""
    drawn = iter(rng.sample(pool, sum(sizes)))
    return [[next(drawn) for _ in range(size)] for size in sizes]


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _orders(rng: random.Random, layout: int, count: int) -> tuple[str, str, list[Row]]:
    currency = rng.choice(("EUR", "USD", "CHF"))
    customers = _names(rng, count)
    products = _spread(rng, _PRODUCTS, [rng.randint(1, 3) for _ in range(count)])
    rows, texts = [], []
    options = iter(rng.sample(_OPTIONS, len(_OPTIONS)))
    for customer, things in zip(customers, products, strict=True):
        number = f"{rng.choice('ABKQ')}-{rng.randint(1000, 9999)}"
        items = []
        for product in things:
            quantity = rng.choice(_COUNTS) if layout == 2 else str(rng.randint(1, 9))
            chosen = [next(options) for _ in range(rng.choice((0, 1, 1)))]
            extras = [
                {"option": [option], "surcharge": [f"{rng.randint(5, 49)} {currency}"]}
                for option in chosen
            ]
            price = f"{rng.randint(50, 900)} {currency}"
            items.append(
                {"product": [product], "quantity": [quantity], "price": [price], "options": extras}
            )
        rows.append({"number": [number], "customer": [customer], "items": items})
        texts.append((_order_list, _order_table, _order_prose)[layout](number, customer, items))
    return "order", "\n\n".join(texts), rows


def _order_list(number: str, customer: str, items: list[Row]) -> str:
    lines = [f"Order {number} for {customer}"]
    for item in items:
        lines.append(f"- {item['quantity'][0]} x {item['product'][0]} at {item['price'][0]}")
        lines += [f"    + {o['option'][0]} ({o['surcharge'][0]})" for o in item["options"]]
    return "\n".join(lines)


def _order_table(number: str, customer: str, items: list[Row]) -> str:
    lines = [f"{customer} | {number}"]
    for item in items:
        cells = [item["product"][0], item["quantity"][0], item["price"][0]]
        cells += [f"{o['option'][0]}: {o['surcharge'][0]}" for o in item["options"]]
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def _order_prose(number: str, customer: str, items: list[Row]) -> str:
    parts = []
    for item in items:
        extra = "".join(f", with {o['option'][0]} for {o['surcharge'][0]}" for o in item["options"])
        parts.append(
            f"the {item['product'][0]} ({item['quantity'][0]}) at {item['price'][0]}{extra}"
        )
    return f"{customer} wrote to us about order {number}: {'; '.join(parts)}."


def _events(rng: random.Random, layout: int, count: int) -> tuple[str, str, list[Row]]:
    titles = _spread(rng, _SESSIONS, [rng.randint(1, 3) for _ in range(count)])
    names = iter(_names(rng, 12))
    places = iter(rng.choices(_PLACES, k=12))
    rows, texts = [], []
    venues = rng.sample(_VENUES, count)
    for name, venue, group in zip(rng.sample(_EVENTS, count), venues, titles, strict=True):
        sessions = []
        for title in group:
            time = f"{rng.randint(9, 17)}:{rng.choice(('00', '15', '30'))}"
            speakers = [
                {"speaker": [next(names)], "affiliation": [next(places)]}
                for _ in range(rng.choice((1, 1, 2)))
            ]
            sessions.append({"title": [title], "time": [time], "speakers": speakers})
        rows.append({"name": [name], "venue": [venue], "sessions": sessions})
        texts.append((_event_list, _event_table, _event_prose)[layout](name, venue, sessions))
    return "event", "\n\n".join(texts), rows


def _event_list(name: str, venue: str, sessions: list[Row]) -> str:
    lines = [f"{name}, {venue}"]
    for one in sessions:
        lines.append(f"{one['time'][0]}  {one['title'][0]}")
        lines += [f"       {s['speaker'][0]} ({s['affiliation'][0]})" for s in one["speakers"]]
    return "\n".join(lines)


def _event_table(name: str, venue: str, sessions: list[Row]) -> str:
    lines = [f"Event: {name}", f"Venue: {venue}"]
    for one in sessions:
        speakers = "; ".join(f"{s['speaker'][0]}, {s['affiliation'][0]}" for s in one["speakers"])
        lines.append(f"Session: {one['title'][0]} | {one['time'][0]} | {speakers}")
    return "\n".join(lines)


def _event_prose(name: str, venue: str, sessions: list[Row]) -> str:
    parts = [f"{name} takes place at {venue}."]
    for one in sessions:
        speakers = _join([f"{s['speaker'][0]} of {s['affiliation'][0]}" for s in one["speakers"]])
        parts.append(f"At {one['time'][0]} {speakers} will talk under the title {one['title'][0]}.")
    return " ".join(parts)


def _companies(rng: random.Random, layout: int, count: int) -> tuple[str, str, list[Row]]:
    groups = _spread(rng, _DEPARTMENTS, [rng.randint(1, 3) for _ in range(count)])
    heads, projects = iter(_names(rng, 12)), iter(rng.sample(_PROJECTS, len(_PROJECTS)))
    rows, texts = [], []
    cities = rng.sample(_CITIES, count)
    for firm, city, group in zip(rng.sample(_FIRMS, count), cities, groups, strict=True):
        departments = []
        for name in group:
            held = [
                {"project": [next(projects)], "deadline": [rng.choice(_DAYS)]}
                for _ in range(rng.choice((0, 1, 1)))
            ]
            departments.append({"department": [name], "head": [next(heads)], "projects": held})
        rows.append({"company": [firm], "city": [city], "departments": departments})
        texts.append((_firm_list, _firm_table, _firm_prose)[layout](firm, city, departments))
    return "company", "\n\n".join(texts), rows


def _firm_list(firm: str, city: str, departments: list[Row]) -> str:
    lines = [f"{firm} ({city})"]
    for one in departments:
        lines.append(f"* {one['department'][0]}, headed by {one['head'][0]}")
        lines += [f"   - {p['project'][0]}, due {p['deadline'][0]}" for p in one["projects"]]
    return "\n".join(lines)


def _firm_table(firm: str, city: str, departments: list[Row]) -> str:
    lines = [f"company={firm}; city={city}"]
    for one in departments:
        held = "".join(f"; {p['project'][0]} -> {p['deadline'][0]}" for p in one["projects"])
        lines.append(f"{one['department'][0]}: {one['head'][0]}{held}")
    return "\n".join(lines)


def _firm_prose(firm: str, city: str, departments: list[Row]) -> str:
    parts = [f"{firm} of {city} reports on its work."]
    for one in departments:
        text = f"{one['department'][0]} is led by {one['head'][0]}"
        held = [f"{p['project'][0]} by {p['deadline'][0]}" for p in one["projects"]]
        parts.append(f"{text} and has to finish {_join(held)}." if held else f"{text}.")
    return " ".join(parts)
