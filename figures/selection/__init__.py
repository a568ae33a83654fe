"""Selection against ordinary training, and both against the bound."""
