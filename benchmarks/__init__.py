"""The training engine side by side with PyTorch: `make bench`."""
