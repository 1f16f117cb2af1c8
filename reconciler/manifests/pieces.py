"""A file into documents, by way of stencils where that gives what parsing the whole of it would give."""

import re
from collections.abc import Generator, Iterator

import yaml

from reconciler.manifests.documents import BEGINNING, parsed, read_documents
from reconciler.manifests.limits import Limit
from reconciler.manifests.report import FileReport
from reconciler.manifests.stencils import Outline, Stencils
from reconciler.manifests.values import Fields

_LONGEST = 10_000
_SEPARATOR = re.compile(r"^---\n", re.MULTILINE)
# A separator with something beside it, an end of a document, and breaks of lines that only YAML knows.
_ODD = re.compile("^---[^\n]|^\\.\\.\\.|[\r\x85\u2028\u2029]|^---\\Z", re.MULTILINE)


def read_pieces(text: str, report: FileReport, stencils: Stencils) -> Iterator[Fields]:
    """The documents of a text, as `read_documents` gives them; the report's `lines` are set to where each begins.

    Raises SpoiledError where the text can't be read on; the documents before are good.
    """
    # Aliases are bounded for a file as a whole.
    if _ODD.search(text) or ("&" in text and "*" in text):
        yield from read_documents(text, report)
        return
    begin = 0
    for piece in _split(text):
        # What is kept of a long one would cost more than it saves.
        outline = Outline.of(piece) if len(piece) <= _LONGEST else None
        document = None if outline is None else stencils.document(outline)
        if document is not None:
            report.count(Limit.DOCUMENTS, BEGINNING)
            yield document
        elif begin and not piece.strip():
            report.count(Limit.DOCUMENTS, BEGINNING)
        elif piece.strip() and not (yield from _parsed(piece, outline, report, stencils)):
            # What is wrong is told as it is seen in its surroundings.
            yield from read_documents(text[begin:], report)
            return
        begin += len(piece) + len("---\n")
        report.lines += piece.count("\n") + 1


def _split(text: str) -> Iterator[str]:
    """The text between the separators, one after the other: all at once they would take as much memory again."""
    begin = 0
    for separator in _SEPARATOR.finditer(text):
        yield text[begin : separator.start()]
        begin = separator.end()
    yield text[begin:]


def _parsed(
    piece: str, outline: Outline | None, report: FileReport, stencils: Stencils
) -> Generator[Fields, None, bool]:
    """The document of a piece; answers whether it is YAML."""
    faults = len(report.faults)
    try:
        documents = list(parsed(piece, report))
    except yaml.YAMLError:
        del report.faults[faults:]
        return False
    for document in documents:
        if outline is not None and len(report.faults) == faults:
            stencils.learn(outline, document)
        yield document
    return True
