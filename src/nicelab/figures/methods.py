"""What the figures call the estimators of the gambler's probability, in the order of the study."""

METHODS = {
    "crude": "crude Monte Carlo",
    "siegmund": "Siegmund's tilt",
    "splitting_by_balance": "splitting by balance",
    "splitting_by_reach": "splitting by balance and time",
    "defensive": "defensive mixture",
    "sheet": "the sheet's q",
    "cross_entropy": "cross-entropy, constant q",
    "variance_optimal": "best constant q",
    "cross_entropy_by_play": "cross-entropy, q by play",
    "brownian": "Brownian h-transform",
    "learned": "cross-entropy, logistic",
    "doob": "Doob's h-transform",
}
