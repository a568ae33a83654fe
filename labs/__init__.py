"""Seven labs on what a model can memorize, and what makes their two versions and runs them."""
