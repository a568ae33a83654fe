"""What makes the runs of a sweep: this process, worker processes, or a Ray cluster."""
