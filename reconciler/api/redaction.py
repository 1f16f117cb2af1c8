"""Taking secrets out of text, in every form that an echo may give them."""

import base64
import json
import re
from urllib.parse import quote, quote_plus

MASK = "[secret]"
# No secret holds a control character, so this stands for a mask until all secrets are gone: a short secret
# can't bite pieces out of a mask that is already there.
_MARK = "\0"


class Redactor:
    """Knows secrets and replaces them; holds them in memory and shows them nowhere."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._forms: list[str] | None = None

    def learn(self, secret: str) -> None:
        """Replace `secret` from now on."""
        if secret not in self._secrets:
            self._secrets.add(secret)
            self._forms = None

    def redact(self, text: str) -> str:
        """`text` with every known secret, plain or encoded, replaced by `[secret]`."""
        if self._forms is None:
            forms = {form for secret in self._secrets for form in _forms(secret) if form}
            self._forms = sorted(forms, key=lambda form: (-len(form), form))
        for form in self._forms:
            text = text.replace(form, _MARK)
        return text.replace(_MARK, MASK)


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    percent = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    escaped = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return (
        {secret}
        | percent
        | {_lower_hex(form) for form in percent}
        | encoded
        | {form.rstrip("=") for form in encoded}
        | escaped
        | {form.replace("/", "\\/") for form in escaped}
    )


def _lower_hex(percent_encoded: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), percent_encoded)
