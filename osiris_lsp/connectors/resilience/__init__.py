"""What keeps calls going when a service fails."""
