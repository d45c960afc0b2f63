"""Use cases. They speak only to core's ports; wiring hands them the rest."""
