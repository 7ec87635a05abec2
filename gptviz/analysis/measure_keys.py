"""What can be measured of a head, by its short name in links and the terminal; needs no torch."""

PREVIOUS, FIRST, ITSELF = "previous", "first", "itself"
DUPLICATE, INDUCTION = "duplicate", "induction"
ENTROPY, DISTANCE = "entropy", "distance"

MEASURE_KEYS = (PREVIOUS, FIRST, ITSELF, DUPLICATE, INDUCTION, ENTROPY, DISTANCE)
