"""One file a family: features of a login and their reasons, with ATT&CK ids."""
