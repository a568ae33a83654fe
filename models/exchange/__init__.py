"""Runs for other programs, and models from them: formats, tokenizers, cards and tasks."""
