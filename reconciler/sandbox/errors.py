"""The one error that the sandbox shows to whoever starts it."""


class SandboxError(Exception):
    """The sandbox can't start, or can't touch its data folder.

    The message says what is wrong, where, and what to do next; it is meant to be shown as it is.
    """
