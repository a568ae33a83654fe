"""What could be memorized: bounds on the facts that a budget of bits can hold."""

from capacity.bounds.all_or_nothing import all_or_nothing_bound
from capacity.bounds.bound import Bound
from capacity.bounds.even_spreading import even_spreading
from capacity.bounds.power_law import PowerLawBound, power_law_bound
from capacity.bounds.rate_distortion import rate_distortion_bound

__all__ = [
    "Bound",
    "PowerLawBound",
    "all_or_nothing_bound",
    "even_spreading",
    "power_law_bound",
    "rate_distortion_bound",
]
