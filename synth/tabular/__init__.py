"""The user's own facts: tables read from files, columns found, rows made into facts."""
