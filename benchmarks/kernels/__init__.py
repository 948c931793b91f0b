"""Speeds of the C kernels, on one core, in the thread's processor time.

* `ans`: the coder, beside its numpy reference. ``python -m benchmarks.kernels.ans``
* `binary`: exact layers and a whole ResNet VAE, beside float32 in torch.
  ``python -m benchmarks.kernels.binary [--only layers]``
* `pixels`: the pixel VAE's lockstep, each set of instructions.
  ``python -m benchmarks.kernels.pixels``
* `fitting`: fitting a model to pictures, beside ordinary training.
  ``python -m benchmarks.kernels.fitting FOLDER``

Ways that a table compares are run in turn (`clock.best`), so that what else the machine does slows
all of them.
"""
