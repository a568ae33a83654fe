from .domains import UniformDomains, power_law_domains
from .moment import Learning, Moment, best_moment, facts_known, full_at
from .ways import Ways, paying_range, uniform_ways, ways

__all__ = [
    "Learning",
    "Moment",
    "UniformDomains",
    "Ways",
    "best_moment",
    "facts_known",
    "full_at",
    "paying_range",
    "power_law_domains",
    "uniform_ways",
    "ways",
]
