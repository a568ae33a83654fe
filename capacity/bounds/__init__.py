"""How well the facts of a set can be recalled within a budget of bits."""
