"""Pictures of the chapters in docs/learn, drawn from measured tables and from bounds."""
