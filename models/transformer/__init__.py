"""What computes: the transformer, how facts are laid out for it, and its quickest form."""
