"""What runs: sweeps over threads, whole trajectories, forward passes."""
