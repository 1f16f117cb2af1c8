"""What extcal promises whatever the network, the service, the user or an attacker does; a file a promise."""
