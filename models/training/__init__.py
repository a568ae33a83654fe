"""How a model is trained: steps, schedule, optimizers, measurement, selection, devices."""
