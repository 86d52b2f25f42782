"""Evidence to risk: weights, calibration, explanation."""
