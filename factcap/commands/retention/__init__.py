"""What `factcap predict` does: reads files, holds out, fits, reports."""
