"""Watches sites: reconciles them in rounds, and serves figures and health on a port."""
