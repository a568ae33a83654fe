"""What could be memorized: bounds on the facts that a budget of bits can hold."""

from capacity.all_or_nothing import all_or_nothing_bound
from capacity.bound import Bound
from capacity.even_spreading import even_spreading
from capacity.rate_distortion import rate_distortion_bound

__all__ = ["Bound", "all_or_nothing_bound", "even_spreading", "rate_distortion_bound"]
