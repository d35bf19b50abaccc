"""Tickets are sorted into queues; what fits none goes to a person.

With `abstain`, the best label must fit by itself, not only better than the others. The built-in
model is small, and its doubt is not always in the right place: it sends what has not arrived to a
person, and a question about Sundays to those who look for parcels. Count such mistakes on tickets
of your own, and give `abstain` a number that suits you: a higher one sends fewer tickets to the
wrong queue and more to people.

    python examples/tickets.py
"""

from __future__ import annotations

from onepass import Extractor

QUEUES = {
    "refund": "the customer wants money back",
    "delivery": "a parcel is late or lost",
    "login": "the customer cannot log in",
}
TICKETS = (  # with the queue where each belongs; None: none of them
    ("I cannot log in since this morning.", "login"),
    ("The lamp came broken, I want my money back.", "refund"),
    ("You charged my card twice, please return the money.", "refund"),
    ("My order has not arrived yet.", "delivery"),
    ("My parcel was due on Monday and is still not here.", "delivery"),
    ("Which paint did you use for the blue wall?", None),
    ("Do you have an office in Berlin?", None),
    ("Can I volunteer for your charity?", None),
    ("Is your shop open on Sundays?", None),
)


def main() -> None:
    """Print the queue of each ticket, and how many are right."""
    model = Extractor()
    right = 0
    for text, belongs in TICKETS:
        answer = model.classify(text, QUEUES, name="request", abstain=True)
        queue = answer.labels[0].label if answer.labels else None
        right += queue == belongs
        sign = " " if queue == belongs else "!"
        print(f"{sign} {queue or 'none: a person':15} {text}")
    print(f"{right} of {len(TICKETS)} are right")


if __name__ == "__main__":
    main()
