"""The pure heart: desired and live in, a plan out. No clock, no network, no files."""
