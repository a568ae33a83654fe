"""The commands behind the front door, a module for each few that belong together.

Each command is a frozen dataclass whose fields are its options and whose `run` does the work.
Other packages are imported inside `run`, so that a command loads only what it needs.
"""
