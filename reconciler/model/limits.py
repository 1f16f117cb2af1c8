"""Says how many sites are worked on at once: by default, and at most."""

SITES_AT_ONCE = 16
MOST_SITES_AT_ONCE = 64
