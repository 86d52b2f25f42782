"""The pages, a module each; ``quivive.server.console`` says how one is added."""
