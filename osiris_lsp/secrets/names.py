"""What the name of a key says about its value; the only lists of such names."""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Role = Literal["", "password", "token", "maybe"]
"""What a value is by the name of its key.

A `password` may hold white space, a `token` does not, and what is `maybe` a secret is one where
it looks random.
"""

Context = Literal["", "holder", "off", "closed"]
"""What the keys of a mapping are by the name of its own key.

A `holder` (headers, credentials) has values that prove who a client is. In a mapping that is `off`
keys name other things (columns, types), so that only random text is a secret; in a `closed` one
everything is encrypted.
"""

_WORD: Final = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_PASSWORDS: Final = word_set(
    "password passwords passwd passwds passphrase passphrases passcode pass pwd pwds pw pswd psw "
    "passwort kennwort passe contrasena contraseña senha wachtwoord heslo hasło haslo parola "
    "lösenord losenord adgangskode jelszo salasana lozinka şifre sifre пароль 密码 密碼 パスワード "
    "비밀번호"
)
_TOKENS: Final = word_set(
    "secret secrets token tokens jwt bearer credential credentials creds authorization cookie "
    "cookies pepper"
)
_MAYBE: Final = word_set(
    "key keys auth signature sig salt session sessionid sid otp pin pat seed webhook"
)
# A word that ends like this is one with another word glued to it: `dbpassword`, `clientsecret`.
_GLUED_PASSWORD: Final = re.compile(
    r".+(?:password|passwd|passwort|passphrase)s?"
    r"|(?:db|user|my|pg|root|admin|ssh|ftp|smtp|mail|redis|mysql|key|store|login|bind)(?:pass|pwd|pw)"
)
_GLUED: Final = re.compile(
    r".+(?:secret|(?:api|auth|access|secret|private|master|signing|encryption|shared|account"
    r"|service)key|(?:auth|access|api|refresh|bearer)token)s?"
    r"|(?:api|auth|access|secret|private|master|signing|encryption|shared|account)keys?"
    r"|(?:auth|access|api|refresh|bearer)tokens?"
)
# `key` alone names anything; behind one of these it opens something.
_OPENS: Final = word_set(
    "api access secret private encryption encrypt decryption crypt crypto cipher aes signing sign "
    "signature master auth authentication authorization account admin role service services shared "
    "license deploy deployment hmac session jwt token ssh gpg pgp storage cosmos vapid wallet "
    "recovery bearer security integration ingestion ingest app application consumer webhook "
    "function subscription root activation provisioning management"
)
# `primary_key`, `ssl_key`, `public_key`: the word before `key` makes it something else.
_OTHER_KEYS: Final = word_set(
    "primary foreign partition partitioning cache public publishable sort sorting upsert join "
    "group grouping routing idempotency natural business surrogate lookup row dedup clustering "
    "cluster unique index composite distribution dist range order ordering merge record message "
    "event object map dict json hash hotkey config setting settings translation label metric "
    "dimension query param parameter header field column restore ssl tls"
)
# `max_tokens`, `reset_password`, `requires_secret`: so does the first word here.
_OTHERS: Final = word_set(
    "page next previous continuation cursor sync prompt completion input output max min total num "
    "number count stop bos eos pad unk mask masked special vocab cls sep no not is has use uses "
    "requires require required enable enabled disable allow show hide reset change changed forgot "
    "forgotten confirm repeat generate generated invalid missing expired wrong csrf xsrf validate "
    "public publishable"
)
# A tail that leaves the meaning alone: `password_value`, `api_key_prod`, `secret_key_base`.
_TAILS: Final = word_set(
    "value values string str base base64 b64 pem data plain plaintext raw prod production dev "
    "development staging stage test old new current default eu us live sandbox literal content "
    "encoded primary secondary backup main"
)
_HOLDERS: Final = word_set("headers header credentials credential creds secrets cookies")
_OFF: Final = word_set(
    "columns column rename renames renaming mask masks masking schema schemas properties mapping "
    "mappings definitions securityschemes translations i18n locales dtypes types casts cast "
    "required scopes placeholders columntypes exclude"
)
_CLOSED: Final = frozenset(("sops", "encrypteddata", "secretkeyref", "configmapkeyref"))
_LANGUAGES: Final = word_set(
    "ar bg ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl nn no pl pt ro "
    "ru sk sl sv th tr uk vi zh"
)


class Meaning(NamedTuple):
    """What a value is by the name of its key, and whether to hide it whatever it looks like."""

    role: Role
    hides: bool


@lru_cache(maxsize=8192)
def meaning(name: str) -> Meaning:
    """Return what a value is by the name of its key."""
    words = _words(name)
    found = _role(words)
    if found == "maybe":
        return Meaning(found, len(words) > 1 and words[-1] in ("key", "keys", "auth"))
    return Meaning(found, found != "" or words[-1:] == ["dsn"])


def role(name: str) -> Role:
    """Return the role of a value by the name of its key."""
    return meaning(name).role


def is_secret_name(name: str) -> bool:
    """Tell whether the name of a key says that its value is, or holds, a secret."""
    return meaning(name).hides


def _role(words: list[str]) -> Role:
    if not words:
        return ""
    last, before = words[-1], words[:-1]
    split = before[-1] + last if before else ""  # `pass_word`
    if last in _PASSWORDS or split in _PASSWORDS or _GLUED_PASSWORD.fullmatch(last):
        return "" if before and before[0] in _OTHERS else "password"
    if last in ("key", "keys"):
        if not before:
            return "maybe"
        if before[-1] in _OTHER_KEYS:
            return ""
        return "token" if any(word in _OPENS for word in before) else "maybe"
    if last in _TOKENS or _GLUED.fullmatch(last):
        return "" if before and (before[0] in _OTHERS or before[-1] in _OTHERS) else "token"
    return "maybe" if last in _MAYBE else ""


@lru_cache(maxsize=8192)
def context(name: str) -> Context:
    """Return what the keys of the mapping below a key are."""
    words = _words(name)
    joined = "".join(words)
    if joined in _CLOSED:
        return "closed"
    if joined in _OFF:
        return "off"
    return "holder" if words and words[-1] in _HOLDERS else ""


def is_language(name: str) -> bool:
    """Tell whether the only key of a file is that of a language, so that it holds translations."""
    return name[:2] in _LANGUAGES and (len(name) == 2 or name[2] in "-_") and len(name) <= 7


def _words(name: str) -> list[str]:
    """Return the words of a name without tails that do not matter."""
    words = [word.lower() for word in _WORD.findall(name)] if len(name) <= 80 else []
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _TAILS):
        words.pop()
    return words
