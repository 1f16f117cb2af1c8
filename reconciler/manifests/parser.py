"""PyYAML's event parser: libyaml's where it is built in, and the slower one in Python where it is not."""

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


class PythonEventParser(Reader, Scanner, Parser):
    """The parser in Python, put together as PyYAML's own loaders do."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


try:
    from yaml._yaml import CParser as EventParser
except ImportError:
    EventParser = PythonEventParser  # type: ignore[misc, assignment]  # both give the same events

__all__ = ["EventParser"]
