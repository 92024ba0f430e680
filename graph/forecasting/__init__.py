"""What a run will ask of models and cost, told before it begins."""
