"""Tests of rendering: plans and results as text and JSON."""
