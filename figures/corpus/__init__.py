"""Selection on text against ordinary training."""
