"""Generators that make facts: one module a kind, and what they share (names, pieces, text)."""
