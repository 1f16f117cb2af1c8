"""What is to change in the files of a folder: edits of their texts, documents that are added, rows of rosters."""

import codecs
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.manifests.values import Place
from reconciler.model.source import Source
from reconciler.pull.csv_edit import CsvEdit
from reconciler.pull.folder import Folder
from reconciler.pull.splices import Splice, newline, spliced
from reconciler.pull.yaml_edit import Amender
from reconciler.pull.yaml_tree import MappingNode, documents


class FileChanges:
    """Collects changes to the files of a folder, by path relative to it; nothing is written here."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._splices: dict[str, list[Splice]] = defaultdict(list)
        self._added: dict[str, list[str]] = defaultdict(list)
        self._texts: dict[str, tuple[str, dict[Place, MappingNode]]] = {}
        self._amenders: dict[Source, Amender] = {}
        self._rosters: dict[str, CsvEdit] = {}
        self._created: dict[str, bytes] = {}

    def edit(self, path: str, splices: Iterable[Splice]) -> None:
        """Edit the text of a file."""
        self._splices[path] += splices

    def add(self, path: str, document: str) -> None:
        """Add a document at the end of a file, which may be new."""
        self._added[path].append(document)

    def free(self, path: str) -> str:
        """The path, numbered where something is there, or will be."""
        stem, dot, suffix = path.rpartition(".")
        numbered = (path if number == 1 else f"{stem}-{number}{dot}{suffix}" for number in itertools.count(1))
        return next(one for one in numbered if one not in self._created and not self._folder.holds(one))

    def create(self, path: str, table: str) -> None:
        """Add a roster; its mark says that it is UTF-8, which spreadsheets don't guess where it is not all ASCII."""
        mark = b"" if table.isascii() else codecs.BOM_UTF8
        self._created[path] = mark + table.encode()

    def roster(self, path: str) -> CsvEdit:
        """A roster of the folder, and what is to change in it."""
        if path not in self._rosters:
            self._rosters[path] = CsvEdit(self._folder.by_path[path].text)
        return self._rosters[path]

    def amender(self, root: Source) -> Amender:
        """What edits the document at a place; a set may hold thousands of connections, so it is looked through once."""
        if root not in self._amenders:
            self._amenders[root] = Amender(*self.document(root))
        return self._amenders[root]

    def document(self, root: Source) -> tuple[str, MappingNode]:
        """The text of a file, and the document at a place in it; the file is parsed once."""
        if root.file not in self._texts:
            text = self._folder.files[root.file].text
            self._texts[root.file] = (text, documents(text))
        text, parsed = self._texts[root.file]
        return text, parsed[root.line, root.column]

    def contents(self) -> dict[str, bytes]:
        """The bytes of every file that would change."""
        return dict(self._contents())

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        yield from self._created.items()
        for path, roster in self._rosters.items():
            before = self._folder.by_path[path]
            if (edited := roster.edited()) != before.text:
                yield path, before.edited(edited)
        for path in {**self._splices, **self._added}:
            file = self._folder.by_path.get(path)
            if file is None:
                yield path, "---\n".join(self._added[path]).encode()
                continue
            text = spliced(file.text, self._splices[path])
            line = newline(text)
            end = "" if not text or text.endswith(("\n", "\r")) else line
            added = "".join(f"---\n{document}" for document in self._added[path]).replace("\n", line)
            if added or text != file.text:
                yield path, file.edited(f"{text}{end}{added}" if added else text)
