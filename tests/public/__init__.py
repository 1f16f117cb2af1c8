"""`import reconciler`: what programs call."""
