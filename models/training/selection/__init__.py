"""Selection during training: what is trained on follows from what is learned."""
