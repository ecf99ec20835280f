"""What the planner can do: per order, over a horizon, and at re-optimisation."""
