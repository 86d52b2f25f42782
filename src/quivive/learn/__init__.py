"""What is learned from labels and history: evaluation, re-weighing, drift, promotion."""
