"""CalDAV servers, scripted, of paper and real."""
