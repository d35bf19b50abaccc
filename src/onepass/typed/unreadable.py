"""What a reader of values raises; it never leaves this package."""


class UnreadableError(ValueError):
    """A text that cannot be read as a value of a kind; the message says why, as one sentence."""
