"""The pages of the site, and in `extensions` what builds it."""
