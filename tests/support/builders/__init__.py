"""Short ways to state values: sites, manifests, plans, reports."""
