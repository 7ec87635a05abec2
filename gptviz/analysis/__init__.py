"""Numbers from a trace: torch goes in, numpy comes out, one file a subject."""
