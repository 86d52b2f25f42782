"""What an organisation does by itself, with nobody attacking it."""
