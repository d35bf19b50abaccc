"""A mail archive (mbox) without names, addresses and numbers, in which mails still belong together.

One person has one pseudonym in all mails, headers included. A part of a name counts as another
person ("Mr. Lund" and "Bo Lund" get two pseudonyms), and the built-in model misses some names
altogether: look at a sample before anybody else does.

    python examples/redact_mails.py            # a small archive, made up
    python examples/redact_mails.py IN OUT     # your own
"""

from __future__ import annotations

import mailbox
import sys
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path

from onepass import Extractor
from onepass.redact import Options, Redactor

HEADERS = ("From", "To", "Subject")
LABELS = ("person", "email address", "phone number", "IBAN")
MAILS = (
    ("Anna Weiss <anna@example.com>", "Bo Lund <bo@example.org>", "Offer for Bo Lund",
     "Dear Mr. Lund,\n\nplease call me on +49 30 901820.\n\nAnna Weiss"),
    ("Bo Lund <bo@example.org>", "Anna Weiss <anna@example.com>", "Re: Offer",
     "Hi Anna,\n\nI paid to DE89 3704 0044 0532 0130 00 today.\n\nBo Lund"),
)  # fmt: skip


def texts(mail: Message) -> list[str]:
    """Return what is redacted of a mail: some headers, and the body if it is plain text."""
    body = mail.get_payload(decode=True) if mail.get_content_type() == "text/plain" else None
    charset = mail.get_content_charset("utf-8")
    written = body.decode(charset, errors="replace") if isinstance(body, bytes) else ""
    return [*(str(mail.get(name, "")) for name in HEADERS), written]


def redacted(archive: mailbox.mbox, redactor: Redactor) -> Iterator[EmailMessage]:
    """Yield the mails anew; other headers, attachments and HTML are left out."""
    for mail in archive:
        *headers, body = (done.text for done in redactor.stream(texts(mail)))
        new = EmailMessage()
        for name, value in zip(HEADERS, headers, strict=True):
            new[name] = value.replace("\n", " ")
        new.set_content(body)
        yield new


def main(source: Path, target: Path) -> None:
    """Redact an archive into a new one."""
    redactor = Redactor(Extractor(), Options(labels=LABELS, action="pseudonym"))
    out = mailbox.mbox(target)
    for mail in redacted(mailbox.mbox(source, create=False), redactor):
        out.add(mail)
    out.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            sample = mailbox.mbox(Path(folder, "in.mbox"))
            for sender, receiver, subject, body in MAILS:
                sample.add(f"From: {sender}\nTo: {receiver}\nSubject: {subject}\n\n{body}\n")
            sample.close()
            main(Path(folder, "in.mbox"), Path(folder, "out.mbox"))
            for mail in mailbox.mbox(Path(folder, "out.mbox")):
                print("\n".join([*(f"{name}: {mail[name]}" for name in HEADERS), ""]))
                print(mail.get_payload(), end="----\n")
