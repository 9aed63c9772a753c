"""Which literal is a secret, where the name of a key or a structure says that one stands here."""

import math
from collections import Counter
from itertools import pairwise
from typing import Final

from osiris_lsp.refs import is_indirect
from osiris_lsp.secrets.names import Role, word_set
from osiris_lsp.text import lazy

# Words that answer a question, name a type or name a way to log in.
_ANSWERS: Final = word_set(
    "yes no on off y n true false enabled disabled always never auto optional required prompt ask "
    "default inherit keep string str text varchar char integer int number float boolean bool "
    "object array binary bytes blob uuid secretstr basic bearer digest oauth oauth2 oidc saml ldap "
    "kerberos ntlm apikey api_key api-key plain sha256 sha512 md5 bcrypt redact drop encrypt "
    "filtered reference read write"
)
_PROSE: Final = word_set(
    "a an the is are be must your you to not for and or of with please enter this that when if it "
    "should will can cannot at least in on by"
)
_PATH: Final = lazy(
    r"(?:~|\.{1,2})?/[\w./@ -]*|[A-Za-z]:\\.*"
    r"|[\w./~-]+\.(?:pem|key|crt|cer|der|jks|p12|pfx|json|ya?ml|txt|env|properties|ini|toml)"
)
_IDENTIFIER: Final = lazy(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d[\d.:TZ+ _-]*|sha\d+[:-].*"
    r"|[a-z][a-z0-9+.-]{0,20}://.*|\w+(?:\.[A-Za-z_]\w*){2,}"
)
_PROPERTY: Final = lazy(r"[a-z_]+(?:\.[a-z_]+)+")
_CODE: Final = lazy(r"[:@?%$][\w({?*@#].{0,80}|\?|%\(.*|\w+\(.*|\w+\[.*|[a-z_]+(?:\.[a-z_]\w*)+")
_NAME_WORD: Final = lazy(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGIT: Final = lazy(r"[0-9]")
_CAPITAL: Final = lazy(r"[A-Z]")
_LETTER: Final = lazy(r"[a-z]")
_HUMP: Final = lazy(r"Aa(?=a)")
_CHANGE: Final = lazy(r"a(?=[A0])|A(?=[a0])|0(?=[aA])")


def is_secret(role: Role, name: str, value: str) -> bool:
    """Tell whether a literal under a name is a secret; `name` may be empty."""
    text = value.strip()
    folded = text.lower()
    if len(text) < 2 or folded in _ANSWERS or is_indirect(text):
        return False
    if role == "password":
        is_label = folded == name.lower() and (text != folded or not text.isalpha())
        is_folder = name.lower() == "pwd" and _is_path(text)
        return not (is_label or is_folder or _is_prose(folded))
    if _repeats(name, folded) or _counts(folded):
        return False
    if any(char.isspace() for char in text) or _is_path(text) or _PROPERTY.fullmatch(text):
        return False
    return looks_random(text) if role == "maybe" else not text.isdigit() or len(text) > 7


def _repeats(name: str, folded: str) -> bool:
    """Tell whether a token, which a machine makes, only repeats its name: `api-key-1`."""
    for word in _NAME_WORD.findall(name):
        folded = folded.replace(word.lower(), "")
    return len(folded) < 7 and not any(char.isalpha() for char in folded)


def _counts(folded: str) -> bool:
    """Tell whether a token counts, as those in documentation do: `1234567890abcdef`."""
    run = 0
    for before, after in pairwise(folded):
        run = run + 1 if ord(after) - ord(before) == 1 or before + after in ("90", "9a") else 0
        if run == 8:
            return True
    return False


def is_code(text: str) -> bool:
    """Tell whether a text is a parameter, a call or another expression of a language."""
    return _CODE.fullmatch(text) is not None


def looks_random(text: str) -> bool:
    """Tell whether a text is too irregular to be written by hand: letters and digits in a mix.

    A capital that starts a word (`sampleKey`) is no irregularity.
    """
    if not 10 <= len(text) <= 4000 or _IDENTIFIER.fullmatch(text):
        return False
    shape = _LETTER.sub("a", _CAPITAL.sub("A", _DIGIT.sub("0", text)))
    if "0" not in shape or ("a" not in shape and "A" not in shape):
        return False
    changes = len(_CHANGE.findall(_HUMP.sub("aa", shape)))
    least = 2 if "a" in shape and "A" in shape else 3
    return changes >= max(least, len(text) * 0.18) and entropy(text) > 2.7


def entropy(text: str) -> float:
    """Return the bits for each character by Shannon's formula."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def _is_prose(folded: str) -> bool:
    words = folded.split()
    return len(words) > 2 and sum(word.strip(".,;:!?") in _PROSE for word in words) > 1


def _is_path(text: str) -> bool:
    if not _PATH.fullmatch(text):
        return False
    return not any(len(piece) > 15 and looks_random(piece) for piece in text.split("/"))
