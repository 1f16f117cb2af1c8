"""From the bytes of a calendar to what happens in a range of time, whatever the bytes are, within bounds."""
