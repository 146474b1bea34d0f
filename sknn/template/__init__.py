"""What every estimator is: the template of a fit, the kinds of targets, validation, and what a fit leaves behind."""
