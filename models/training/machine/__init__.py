"""What training asks of the machine: to keep memory, to repeat work, to draw meanwhile."""
