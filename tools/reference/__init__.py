"""What diffusers and transformers compute, written down by name: the other side of hayate's parity tests."""
