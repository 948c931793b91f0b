"""The model of drawn pictures: whole colours that were seen before, else values bit by bit."""
