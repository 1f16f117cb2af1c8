"""Tests of the reports for people: Markdown, HTML, status and annotations."""
