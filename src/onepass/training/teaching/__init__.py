"""A checkpoint that learns the scores of a teacher beside the gold answers."""
