"""The laboratory in a few lines of Python: for teaching, and to try things out.

    from nicelab import lab

`load` a trained flow, or `train` a small one, to draw and to score images. `gambler` estimates a
rare event with win probabilities of one's own. `gradients` compares gradient estimators. What they
give prints itself with its standard error and, where it is known, the exact answer.
"""

from nicelab.teaching.answer import Answer
from nicelab.teaching.games import gambler
from nicelab.teaching.gradients import Gradient, gradients
from nicelab.teaching.models import Model, digits, load, train

__all__ = ["Answer", "Gradient", "Model", "digits", "gambler", "gradients", "load", "train"]
