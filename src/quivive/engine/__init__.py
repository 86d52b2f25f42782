"""The order of the stages: the way of one login, on one screen."""
