"""Many runs from a list of configurations: what they are, and the processes that make them."""
