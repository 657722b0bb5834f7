"""A secret is found however a message writes it, wherever it stands, and wherever the message is cut."""

from __future__ import annotations

import base64
import html
import json
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.secrets import WITHHELD, Redactor

Encoding = Callable[[str], str]


def quoted_printable(text: str) -> str:
    return "".join(f"={octet:02X}" if octet > 126 or octet in b" =" else chr(octet) for octet in text.encode())


def wrapped(text: str, width: int = 5) -> str:
    return "\r\n   ".join(text[at : at + width] for at in range(0, len(text), width))


ENCODINGS: dict[str, Encoding] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "blanks between": " ".join,
    "wrapped lines": wrapped,
    "zero-width characters between": "\u200b".join,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON twice": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON, solidus escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, all escaped": lambda text: "".join(f"\\u{ord(one):04X}" for one in text),
    "JavaScript": lambda text: "".join(
        f"\\x{ord(one):02x}" if one < "\xff" else f"\\u{{{ord(one):x}}}" for one in text
    ),
    "URL": quote,
    "URL, all": lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
    "URL twice": lambda text: quote(quote(text, safe="")),
    "form": quote_plus,
    "HTML": html.escape,
    "HTML, decimal": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML, decimal, open": lambda text: "".join(f"&#{ord(one):04}" for one in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "HTML, marked up": lambda text: f"{text[:3]}<em>{text[3:6]}</em>{text[6:]}",
    "quoted-printable": quoted_printable,
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "Base64, one further": lambda text: base64.b64encode(f":{text}".encode()).decode(),
    "Base64, two further": lambda text: base64.b64encode(f"me{text}.".encode()).decode(),
    "Base64 in lines": lambda text: wrapped(base64.b64encode(text.encode()).decode(), 7),
    "Base64 of JSON": lambda text: base64.b64encode(json.dumps({"password": text}).encode()).decode(),
    "Base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "Base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "hexadecimal, apart": lambda text: text.encode().hex(":"),
    "hexadecimal, marked": lambda text: " ".join(f"0x{octet:02x}" for octet in text.encode()),
    "HTML of JSON": lambda text: html.escape(json.dumps(text)),
    "URL of HTML of JSON": lambda text: quote(html.escape(json.dumps(text))),
    "URL of Base64": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}
LETTERS = string.ascii_letters + string.digits
SECRETS = st.builds(
    lambda word, odd, rest: f"{word}{odd}{rest}",
    st.text(LETTERS, min_size=4, max_size=12),
    st.text("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ ", max_size=4),
    st.text(LETTERS, min_size=4, max_size=12),
)
AROUND = st.text(string.ascii_letters + " .,:;()[]\"'\n", max_size=40)


def pieces(text: str, size: int = 7) -> set[str]:
    found = {text[at : at + size] for at in range(max(1, len(text) - size + 1))}
    return {piece for piece in found if sum(character.isalnum() for character in piece) >= size // 2}


def of_the_secret(name: str, secret: str, size: int = 7) -> set[str]:
    """Pieces of the secret as it is and as it is written, without what any other would be wrapped in."""
    return (pieces(secret, size) | pieces(ENCODINGS[name](secret), size)) - pieces(ENCODINGS[name]("?"), size)


def assert_hidden(name: str, secret: str, shown: str) -> None:
    written = ENCODINGS[name](secret)
    for piece in of_the_secret(name, secret):
        assert piece not in shown, f"{piece!r} of {secret!r}, written {written!r}, in {shown!r}"


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize(
    "secret", ['p@ss/W0rd "9"&<x>=', "sessionSECRET99", "tr\u00e8s-s\u00e9cret-\u20ac-9", "abcd+efgh/ijkl"]
)
def test_a_secret_is_masked_however_it_is_written(name: str, secret: str) -> None:
    written = ENCODINGS[name](secret)
    if "<" not in secret or "marked" not in name:
        shown = Redactor([secret])(f"Login failed ({written}). Try again.")
        assert_hidden(name, secret, shown)
        assert shown.startswith("Login failed (")
        assert shown.endswith("). Try again.")


@given(secret=SECRETS, name=st.sampled_from(list(ENCODINGS)), before=AROUND, after=AROUND)
@example(secret="0000aaaa", name="Base64, one further", before="", after="")
def test_a_secret_is_masked_in_any_surroundings(secret: str, name: str, before: str, after: str) -> None:
    written = ENCODINGS[name](secret)
    assume(not of_the_secret(name, secret) & (pieces(before) | pieces(after)))
    assume("<" not in secret or "marked" not in name)
    assert_hidden(name, secret, Redactor([secret])(f"{before} <{written}> {after}"))


@settings(max_examples=60)
@given(
    secret=SECRETS,
    name=st.sampled_from(list(ENCODINGS)),
    filler=st.sampled_from([" ", "\u3000", "~ ", "ab ", ".", "x\n"]),
    at=st.one_of(st.integers(520, 640), st.integers(1_900, 3_100)),
    limit=st.integers(1, 700),
)
def test_no_head_of_a_secret_is_left_where_a_message_is_cut(
    secret: str, name: str, filler: str, at: int, limit: int
) -> None:
    written = ENCODINGS[name](secret)
    hidden = of_the_secret(name, secret, 5)
    assume(not any(piece in filler * 9 for piece in hidden))
    assume("<" not in secret or "marked" not in name)
    text = (filler * at)[:at] + written + " and more" * 2_000
    shown = one_line(Redactor([secret])(text), limit=limit)
    assert [piece for piece in hidden if piece in shown] == []


@given(secret=st.text(min_size=4, max_size=30), around=st.text(max_size=30))
def test_no_known_secret_survives_as_it_is(secret: str, around: str) -> None:
    assume(secret not in "***" and secret not in around and "|" not in secret and "*" not in secret)
    assert secret not in Redactor((secret,))(f"{around}|{secret}|{around}")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ('{"sessionId": "abc", "devKey":"def"}', '{"sessionId": "***", "devKey":"***"}'),
        ("sessionId=abc&password=def ghi", "sessionId=***&password=*** ghi"),
        ('password="def ghi" next', 'password="***" next'),
        ("{'devKey': 'abc'}", "{'devKey': '***'}"),
        ("sslpassword=abc", "sslpassword=***"),
        ("sessionId%3Dabc%26x", "sessionId%3D***"),
        ('{\\"password\\": \\"abc\\"}', '{\\"password\\": \\"***\\"}'),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("api_key=abc", "api_key=***"),
        ("devKey: must not be null", "devKey: must not be null"),
        ("the password is wrong", "the password is wrong"),
        ("SSN 123%2D45%2D6789", "SSN ***"),
        ("SSN 123&#45;45&#45;6789", "SSN ***"),
    ],
)
def test_credentials_of_others_are_masked_by_their_names(text: str, cleaned: str) -> None:
    if "%26" in text:
        assert "abc" not in Redactor(())(text)
    else:
        assert Redactor(())(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Invalid request: vendorId must not be null",
        "made more of the roses",
        "Value \\u00e9t\\u00e9 & co <b>100%</b> a+b 50%25",
        "requests per hour reached: 20000.",
        "Unknown parameter 00901ABCDEFGHIJ1a2b3",
    ],
)
def test_a_message_without_secrets_stays_as_it_is(text: str) -> None:
    assert Redactor(("demo", "rest", "hunter2hunter2"))(text) == text


def test_a_very_short_secret_is_masked_as_a_word_only() -> None:
    assert Redactor(("a",))("a bad password: a") == "*** bad password: ***"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert Redactor(("secret", "secret-key"))("secret-key secret") == "*** ***"


def test_a_message_in_too_many_encodings_is_withheld() -> None:
    text = "%2525 &amp;amp; \\\\n + =3D41 61626364 QUJDREVGR0g= <b>"
    for _ in range(3):
        text = f"{text} {quote(text)} {html.escape(json.dumps(text))}"
    assert Redactor(("hunter2hunter2",))(f"{text} {base64.b64encode(text.encode()).decode()}") == WITHHELD


@pytest.mark.parametrize(
    "unit", ["a word ", "\\", "%25", "&amp;", "x", "aGVsbG8gd29ybGQ ", "<b>&amp;%41\\u0041 ", "41", "<"]
)
def test_a_hostile_message_costs_a_bounded_time(unit: str) -> None:
    started = time.process_time()
    Redactor(("hunter2hunter2", "p\u00e4ssword", "abc"))(unit * 100_000)
    assert time.process_time() - started < 10
