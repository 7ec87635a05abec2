"""One forward pass, seen from inside: what makes it that pass, what is kept, and what follows.

``passes`` and ``changes`` are values and need no torch; ``trace`` runs a model and keeps what
happened; ``replay`` makes the rest again when it is asked for.
"""
