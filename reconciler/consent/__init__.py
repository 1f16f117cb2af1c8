"""Serves callbacks: where browsers land after owners were asked for consent, and the pages."""
