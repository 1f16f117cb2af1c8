"""Turns plans, results and statuses into text; whatever came from the service is made inert."""
