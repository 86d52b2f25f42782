"""One module an attack kind, each ending in its ``ATTACK``; ``scene.attacks`` finds them."""
