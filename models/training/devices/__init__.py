"""One model on many devices and hosts: who holds which part, and what it should cost."""
