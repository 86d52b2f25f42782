"""What an address and a user agent tell: place, network, reputation, client."""
