"""The directory of a run: claiming and locking it, its files, going on, and reading it again."""
