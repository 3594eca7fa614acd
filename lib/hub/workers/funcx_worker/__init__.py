"""What `worker.py` is made of. One package, so that user code's own modules keep their names."""
