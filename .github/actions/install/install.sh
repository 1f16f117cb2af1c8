#!/usr/bin/env bash
# Installs extcal into an environment of its own, away from whatever the job uses Python for.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit

checkout=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
venv=$RUNNER_TEMP/extcal-venv
# Isolated: a checkout may hold modules of any name, and the working directory would come first.
"$PYTHON" -I -m venv "$venv"
"$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check -- "${INPUT_REQUIREMENT:-$checkout}"
"$venv/bin/extcal" --version
