"""The encoding of a text: found where its bytes leave no doubt, and otherwise to be named."""

import codecs

from .separators import shortened

MARKS = (  # the longer ones first, as the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAMPLE = 4000


def to_utf8(content: bytes, encoding: str | None = None) -> bytes:
    """Encode a text in UTF-8, without a mark at its beginning.

    Without a name the text is one of UTF-8, or of UTF-16 or UTF-32 if it begins with their mark, or if every other byte
    of it is zero.

    Parameters
    ----------
    content : bytes
        The text.
    encoding : str, default=None
        The name of its encoding.

    Returns
    -------
    bytes
        The text in UTF-8.

    Raises
    ------
    ValueError
        If there is no such encoding, or the text is not in it.

    Examples
    --------
    >>> to_utf8("a,é".encode("utf-16")).decode(), to_utf8("a,é".encode("latin-1"), "latin-1").decode()
    ('a,é', 'a,é')
    """
    if encoding is not None:
        return _in(content, encoding)
    for mark, marked in MARKS:
        if content.startswith(mark):
            return _in(content[len(mark) :], marked)
    if 0 in content:
        return _in(content, _wide(content[:SAMPLE]))
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(_why_not(content, error.start)) from None
    return content


def _in(content: bytes, encoding: str) -> bytes:
    try:
        text = content.decode(encoding)
    except LookupError:
        raise ValueError(
            f"encoding={encoding!r} is not known; it must be one of Python's, such as utf-8, latin-1, cp1252 or utf-16"
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not in encoding={encoding!r}: {error}") from None
    return text.removeprefix("\ufeff").encode("utf-8")


def _wide(sample: bytes) -> str:
    even, odd = (sample[start::2].count(0) / max(1, len(sample[start::2])) for start in (0, 1))
    if odd > 0.8 and even < 0.1:
        return "utf-16-le"
    if even > 0.8 and odd < 0.1:
        return "utf-16-be"
    raise ValueError("it holds zero bytes, so it is no text, or one whose encoding must be named with --encoding")


def _why_not(content: bytes, position: int) -> str:
    line = content.count(b"\n", 0, position) + 1
    text = content[content.rfind(b"\n", 0, position) + 1 :].split(b"\n", 1)[0].decode("latin-1").strip()
    return (
        f"byte {content[position]:#x} in line {line:,} is not UTF-8; name the encoding with --encoding (encoding=), "
        f"such as latin-1, in which the line is {shortened(text)!r}"
    )
