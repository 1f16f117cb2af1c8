"""Carries out a plan against a port: order, outcomes, nothing that the plan does not name."""
