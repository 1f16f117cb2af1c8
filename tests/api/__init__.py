"""Tests of the API client, against real sockets."""
