"""Pure: a Plan or a Result in, text or JSON out. Whatever came from the service is made inert on the way."""
