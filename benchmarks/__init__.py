"""Measurements that tests must not depend on: speed as ratios within a run, detection at budgets."""
