"""Rules and facts: what linear, kernel and random-feature learners learn, and what they keep.

The model of Farne, Boncoraglio and Zdeborova 2026 (2603.25579): $n = alpha d$ inputs
$x ~ N(0, I_d)$; with probability $1 - epsilon$ the label is a rule's, $y = sign(w*.x)$, and with
probability epsilon a fair coin's, a fact. The learner minimizes
$sum l(y f(x)) + (ridge/2) |w|^2$; everything here is the limit of large d.
"""

from lazy_loader import attach_stub

# Each name is imported when it is first used; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
