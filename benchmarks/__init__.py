"""Measured claims: ``python -m benchmarks`` (or ``make bench``) measures them on this machine."""
