"""What fleets cost: whole processes timed against a raw floor and against peers, as ratios taken in one run."""
