"""What puts files into chunks by a model: a file for each tag of chunks, and a register of them."""
