"""What a unit of stock is worth where it lies: forecasts, shadow prices, and how they lose their force."""
