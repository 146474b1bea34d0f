"""The estimators, in rooms by what they are for, one file for each family."""
