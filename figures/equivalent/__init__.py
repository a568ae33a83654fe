"""How large an ordinary model must be to know what a small one with selection knows."""
