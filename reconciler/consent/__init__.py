"""Reaches owners: the callback server and its pages, where browsers land, and the mail that asks for consent."""
