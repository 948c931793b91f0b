"""Flow++ with binary or real residual blocks, for evaluation and samples."""
