"""Takes secrets out of texts and of JSON before anybody else sees them.

Three sources: the exact values of the host's own secrets, in the forms in which a program prints
them; patterns of the policy; and `builtin`, the agent's own families. A secret that is spread over
several items of a list, compressed or encrypted is not found: nobody can find it by its letters.
"""

import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 8
_SHORTEST_LINE = 16
_DEEPEST = 8
_REMEMBERED = 4096
# Lines of base64 as base64(1) breaks them.
_WRAPPED = re.compile(r"(?:[A-Za-z0-9+/]{61,}\r?\n)+[A-Za-z0-9+/]+={0,2}")
# An image within a request to a model; the patterns are about text.
_IMAGE = re.compile(r"data:(?:image|audio|video)/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+")
_LONG_IMAGE = 4096


class Redactor:
    def __init__(
        self,
        builtin: Callable[[str], str],
        secrets: Iterable[str],
        patterns: Iterable[re.Pattern],
        replacement: str,
    ) -> None:
        self._builtin, self._patterns = builtin, tuple(patterns)
        self._replacement = replacement
        secrets = set(secrets)
        # Too short to tell from other text. Whoever starts the policy says so.
        self.too_short = sum(0 < len(secret) < SHORTEST for secret in secrets)
        found: set[str] = set()
        for secret in secrets:
            found |= _forms(secret) if len(secret) >= SHORTEST else set()
        self._exact = sorted(found, key=lambda form: (-len(form), form))
        self._clean: OrderedDict[bytes, None] = OrderedDict()

    def text(self, text: str) -> str:
        """A text without its secrets."""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self._clean:
            self._clean.move_to_end(digest)
            return text
        made = self._made(text)
        if made == text:
            self._clean[digest] = None
            if len(self._clean) > _REMEMBERED:
                self._clean.popitem(last=False)
        return made

    def _made(self, text: str) -> str:
        for form in self._exact:
            if form in text:
                text = text.replace(form, self._replacement)
        # The pattern is slow, and few texts have such a line.
        if self._exact and any(
            len(line) > 60 and " " not in line for line in text.split("\n")[:-1]
        ):
            text = _WRAPPED.sub(self._unwrapped, text)
        if len(text) > _LONG_IMAGE and _IMAGE.fullmatch(text):
            return text
        for pattern in self._patterns:
            text = pattern.sub(lambda _: self._replacement, text)
        return self._builtin(text)

    def _unwrapped(self, found: re.Match) -> str:
        joined = re.sub(r"[\r\n]", "", found[0])
        return self._replacement if any(form in joined for form in self._exact) else found[0]

    def value(self, value: object, depth: int = 0) -> object:
        """The same for what JSON can hold: keys, values, and JSON within texts."""
        if isinstance(value, str):
            return self._json(value, depth)
        if isinstance(value, (bytes, bytearray)):
            text = bytes(value).decode("latin-1")
            return type(value)(self.text(text).encode("latin-1", "replace"))
        if isinstance(value, dict):
            made: dict = {}
            for key, inner in value.items():
                key = self.text(key) if isinstance(key, str) else key
                made[_free(made, key)] = self.value(inner, depth)
            return made
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.value(inner, depth) for inner in value))
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(self.value(inner, depth) for inner in value)
        return value

    def _json(self, text: str, depth: int) -> str:
        """The rules are to see a text itself, and not as JSON writes it."""
        if depth < _DEEPEST and text.lstrip()[:1] in ("{", "["):
            twice: list = []

            def pairs(found: list) -> dict:
                made = dict(found)
                twice.extend([True] * (len(made) != len(found)))
                return made

            try:
                value = json.loads(text, object_pairs_hook=pairs)
                made = self.value(value, depth + 1)
                # Of a key that stands there twice, only one value was looked at.
                if twice or made != value:
                    text = json.dumps(made, ensure_ascii=False)
            except (ValueError, RecursionError):
                pass
        return self.text(text)


def _free(taken: dict, key: object) -> object:
    """Two keys may be the same without their secrets."""
    if key not in taken or not isinstance(key, str):
        return key
    number = 2
    while f"{key} {number}" in taken:
        number += 1
    return f"{key} {number}"


def _forms(secret: str) -> set[str]:
    """A secret as programs print it, none of them a text that is found by chance."""
    data = secret.encode("utf-8", "surrogatepass")
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {quote(data, safe=""), quote(data), quote_plus(data)}
    # What `%2F` is in capitals, others write as `%2f`.
    forms |= {re.sub("%..", lambda found: found[0].lower(), form) for form in list(forms)}
    forms |= {data.hex(), data.hex().upper()}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(_base64(encode, data, before))
    lines = secret.splitlines()
    if len(lines) > 1:
        forms |= {line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE}
    return {form for form in forms if len(form) >= SHORTEST}


def _base64(encode: Callable[[bytes], bytes], data: bytes, before: int) -> str:
    """The letters that stand for the secret alone, where so many bytes come before it in their
    group of three."""
    bits = 8 * (before + len(data))
    return encode(bytes(before) + data)[-(-8 * before // 6) : bits // 6].decode()
