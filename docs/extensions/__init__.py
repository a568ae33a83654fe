"""What Sphinx does not do by itself: formulas, the lists of public names, commands and figures."""
