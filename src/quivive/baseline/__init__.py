"""What is usual: decayed counts, windows and profiles as pure, bounded, mergeable folds."""
