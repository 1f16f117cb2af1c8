"""The JSON Schemas of the manifests: found where they are installed, and given as text."""

from pathlib import Path
from typing import Final

from reconciler.errors import UsageError
from reconciler.manifests.suggest import did_you_mean

API_VERSION: Final = "extcal/v1"
"""The version of the manifest format."""

KINDS: Final = ("Site", "SyncPolicy", "Connection")
"""The kinds of manifests."""

BEGIN: Final = f"begin with apiVersion: {API_VERSION} and kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}"
"""How a document becomes a manifest."""

_SCHEMAS: Final = (*(kind.lower() for kind in KINDS), "plan", "status")


def schema_text(kind: str) -> str:
    """The JSON Schema (draft 2020-12) of a manifest kind, or of what `plan` or `status` print as JSON.

    The case of `kind` does not matter. Raises UsageError for any other word.
    """
    name = kind.lower()
    if name not in _SCHEMAS:
        hint = did_you_mean(name, _SCHEMAS) or f"there are {', '.join(_SCHEMAS)}"
        raise UsageError(f"no schema is called {kind!r}; {hint}")
    package = Path(__file__).parents[1]
    # A source checkout, or an editable install of one, keeps them beside the package.
    paths = [around / "schemas" / f"{name}.schema.json" for around in (package, package.parent)]
    return next(path for path in paths if path.is_file()).read_text(encoding="utf-8")
