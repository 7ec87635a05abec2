"""What is said of a model's parts: found by what a part does, never by where it stands."""
