"""Which facts a model will know: predictors held against each other, reported and drawn."""
