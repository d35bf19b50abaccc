"""Every example runs and prints what its text says, mistakes of the model included."""

import json
import mailbox
import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples"
MAX_LINES = 80


def run(name: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """Run an example as a script and return what it printed, and what it said beside that."""
    before = sys.argv
    sys.argv = [name, *arguments]
    try:
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    finally:
        sys.argv = before
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_invoice(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("price_parser", reason="needs the extra values")
    out, _ = run("invoice.py", capsys)
    assert re.sub(r"score \d\.\d\d", "score #", out) == (
        "INV-2024-118 of Nordlicht GmbH, 2024-05-03, due None\n"
        "total 1299.00 EUR\n"
        "item 3 x desk lamps\n"
        "item 2 x floor lamps\n"
        "number = 'INV-2024-118', 36:48, score #\n"
        "supplier = 'Nordlicht GmbH', 0:14, score #\n"
        "issued = '3 May 2024', 63:73, score #\n"
        "total = 'EUR 1,299.00', 154:166, score #\n"
        "items[0].product = 'desk lamps', 112:122, score #\n"
        "items[0].quantity = '3', 110:111, score #\n"
        "items[1].product = 'floor lamps', 127:138, score #\n"
        "items[1].quantity = '2', 125:126, score #\n"
        "look at due: '2 April 2024': Value error, payment is due after the day of issue.\n"
    )


def test_redact_mails(capsys: pytest.CaptureFixture[str]):
    out, _ = run("redact_mails.py", capsys)
    first, second, rest = out.split("----\n")
    assert first == (
        "From: [person 1] <[email address 1]>\n"
        "To: [person 2] <[email address 2]>\n"
        "Subject: Offer for [person 2]\n\n"
        "Dear [person 3],\n\nplease call me on [phone number 1].\n\n[person 1]\n"
    )
    assert second.startswith("From: [person 2] <[email address 2]>\nTo: [person 1]")
    assert "[IBAN 1]" in second
    assert rest == ""
    for secret in ("Anna", "Weiss", "Lund", "example", "901820", "DE89"):
        assert secret not in out


def test_redact_mails_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, target = tmp_path / "in.mbox", tmp_path / "out.mbox"
    source.write_bytes(
        b"From x\nFrom: Anna Weiss <anna@example.com>\nX-Secret: Anna Weiss\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nAnna Weiss\n--b--\n\n"
        b"From x\nFrom: Anna Weiss <anna@example.com>\nSubject: Hello\n"
        b"Content-Type: text/plain; charset=iso-8859-1\n\nAnna Weiss w\xfcnscht Gl\xfcck.\n"
    )
    assert run("redact_mails.py", capsys, str(source), str(target)) == ("", "")
    mails = list(mailbox.mbox(target))
    assert len(mails) == 2
    assert "Weiss" not in target.read_text()
    body = mails[1].get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode() == "[person 1] wünscht Glück.\n"


def test_knowledge_graph(capsys: pytest.CaptureFixture[str]):
    out, _ = run("knowledge_graph.py", capsys)
    graph = json.loads(out)
    assert {node["id"]: (node["label"], node["mentions"]) for node in graph["nodes"]} == {
        "Maria Rossi": ("person", 2),
        "Helio Labs": ("company", 3),
        "Milan": ("location", 1),
        "Northwind": ("company", 3),
        "Oslo": ("location", 1),
        "Erik Dahl": ("person", 2),
        "Statnett": ("company", 1),
    }
    edges = {(edge["from"], edge["type"], edge["to"]): edge["evidence"] for edge in graph["edges"]}
    assert set(edges) >= {
        ("Maria Rossi", "founded", "Helio Labs"),
        ("Helio Labs", "based in", "Milan"),
        ("Northwind", "bought", "Helio Labs"),
        ("Northwind", "based in", "Oslo"),
        ("Erik Dahl", "works for", "Statnett"),
    }
    found = edges["Northwind", "bought", "Helio Labs"]
    assert [(one["text"], one["head"], one["tail"]) for one in found] == [(1, "0:9", "43:53")]
    ids = {node["id"] for node in graph["nodes"]}
    assert all(edge["from"] in ids and edge["to"] in ids for edge in graph["edges"])


def test_tickets(capsys: pytest.CaptureFixture[str]):
    out, _ = run("tickets.py", capsys)
    assert out.splitlines() == [
        "  login           I cannot log in since this morning.",
        "  refund          The lamp came broken, I want my money back.",
        "  refund          You charged my card twice, please return the money.",
        "! none: a person  My order has not arrived yet.",
        "  delivery        My parcel was due on Monday and is still not here.",
        "  none: a person  Which paint did you use for the blue wall?",
        "  none: a person  Do you have an office in Berlin?",
        "  none: a person  Can I volunteer for your charity?",
        "! delivery        Is your shop open on Sundays?",
        "7 of 9 are right",
    ]


def test_long_document(capsys: pytest.CaptureFixture[str]):
    out, said = run("long_document.py", capsys, "26")
    text = "".join(runpy.run_path(str(FOLDER / "long_document.py"))["pages"](26))
    *grants, total = out.splitlines()
    assert [line.split(":")[0] for line in grants] == ["page 5", "page 15", "page 25"]
    assert total == f"3 grants in {len(text):,} characters"
    for line in grants:
        for value, place in re.findall(r"(?:: |, )(\S.*?) at ([\d,]+)", line):
            start = int(place.replace(",", ""))
            assert text[start : start + len(value)] == value
    assert re.findall(r"(\d+) of 26 pages, \d+ s left", said) == ["10", "20", "26"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_every_example_is_short_and_listed(path: Path):
    assert len(path.read_text().splitlines()) < MAX_LINES
    assert f"(../examples/{path.name})" in (ROOT / "docs" / "examples.md").read_text()
