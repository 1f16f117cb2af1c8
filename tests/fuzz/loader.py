"""Fuzzes the manifest loader, guided by coverage: `python -m tests.fuzz.loader [libFuzzer's options] [CORPUS]…`.

Needs atheris, which has wheels for CPython 3.11 to 3.13 on Linux. Any exception but ManifestError, a fault that a
terminal can't show, and a minute of work end it; libFuzzer then writes the input to `crash-…` and says how to
run it again. Mutated inputs begin with the examples, the corpus of hostile manifests and a few words of YAML.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # installed where it is wanted

from tests.fuzz.verdict import Judge
from tests.support.folders import in_memory

with atheris.instrument_imports(include=["reconciler", "yaml"]):
    # The parser in Python can be instrumented, and gives the same events as libyaml's.
    sys.modules["yaml._yaml"] = None  # type: ignore[assignment]  # keeps libyaml's from being imported
    from reconciler.manifests import loader, references  # noqa: F401 - loading would import them too late

_ROOT = Path(__file__).parents[2]
_WORDS = (
    "apiVersion", "extcal/v1", "kind", "Site", "SyncPolicy", "Connection", "metadata", "name", "spec", "siteId",
    "auth", "apiKey", "app", "env", "file", "EXTCAL_", "schedule", "provider", "account", "credentials", "password",
    "syncConfig", "listEventFromCalendars", "syncToCalendar", "primaryCalendar", "dedicatedCalendar", "calendars",
    "enabled", "lifecycle", "ignoreChanges", "preventDisconnect", "state", "absent", "---\\x0a", "...", "<<", "!!",
    "&a", "*a", "{}", "[]", "? ", ": ", "- ", "|\\x0a", ">\\x0a", "%YAML", "\\xef\\xbb\\xbf", "\\xc2\\x85",
)  # fmt: skip


def seeds() -> Iterator[bytes]:
    """What mutation begins with."""
    for folder in (_ROOT / "examples", _ROOT / "tests" / "promises" / "corpus"):
        for file in sorted(folder.rglob("*.yaml")):
            yield file.read_bytes()


def main() -> int:
    """Fuzz until told to stop; `-max_total_time=SECONDS` and `-seed=NUMBER` are the options that are needed most."""
    with in_memory() as name:
        # libFuzzer ends its process without looking back: somebody else must tidy up.
        child = os.fork()
        if child == 0:
            _fuzz(Path(name))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)


def _fuzz(folder: Path) -> None:
    corpus, words, judge = folder / "corpus", folder / "words", Judge(folder)
    corpus.mkdir()
    for number, content in enumerate(seeds()):
        (corpus / f"seed-{number:04}").write_bytes(content)
    words.write_text("".join(f'"{word}"\n' for word in _WORDS), encoding="utf-8")

    def one(content: bytes) -> None:
        judge.judge(content)

    options = ["-max_len=4096", "-timeout=120", "-rss_limit_mb=2048", f"-dict={words}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
