"""Where owners' browsers land after they were asked to consent: a listener on loopback, and its pages."""
