"""`python -m reconciler` is `extcal`."""

from reconciler.cli.main import main

main()
