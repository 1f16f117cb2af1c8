"""The tests of extcal."""
