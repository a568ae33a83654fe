"""Of each lab: measurements as its trainings might give them, and answers that are often given.

A module a lab, of the same name. What it may hold, all of it values by name as `run_lab` takes
them:

* `measured()`: what the lab's trainings give, so that its checks can be tested without training.
* `right()`: what trainings by a student's own code would give if the code is right.
* `WRONG`: sets of answers, each with a wrong one to every exercise.
* `WRONG_CODE`: the same of exercises whose code is trained with, for the tests that train.
"""
