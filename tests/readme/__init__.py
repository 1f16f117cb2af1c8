"""The README and the examples do what they say."""
