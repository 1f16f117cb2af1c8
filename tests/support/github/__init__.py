"""GitHub around an action's script: its runner, a repository, and a stand-in for `gh`."""
