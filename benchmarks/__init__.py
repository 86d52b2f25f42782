"""Measurements that no test depends on: speed as ratios in one run, detection at budgets."""
