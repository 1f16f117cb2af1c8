"""Tests of what a config repository uses: actions, workflows, hooks and examples."""
