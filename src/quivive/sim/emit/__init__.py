"""How each vendor writes down what happened: one module a log, each a pure ``emit``."""
