"""How much is done at once, where nobody says otherwise."""

SITES_AT_ONCE = 16
MOST_SITES_AT_ONCE = 64
