"""OpenID Shared Signals Framework 1.0, the transmitter's side: pure of any transport."""
