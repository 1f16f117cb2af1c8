"""The files of GitHub Actions in this repository."""

from tests.support.tools import ROOT

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USERS = sorted((ROOT / "examples" / "config-repo" / ".github" / "workflows").glob("*.yml"))
FLEET = ROOT / "examples" / "fleet" / "github-matrix.yml"
