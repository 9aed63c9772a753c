"""How calls prove who makes them."""
