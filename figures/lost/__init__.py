"""What selection loses: what a model says of the facts that it dropped, and of other text."""
