"""Turns the bytes of a calendar into what happens in a range of time.

That is done within bounds, whatever the bytes are.
"""
