"""Personal data: Presidio's recognizers and spaCy's names, in process."""
