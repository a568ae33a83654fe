"""The claims of the field about what a bit costs: a module each, measured by one command."""
