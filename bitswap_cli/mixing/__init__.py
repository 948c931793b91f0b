"""Context mixing: decisions whose probabilities are mixed of what many counters say, and the bytes
that are coded so.

A decision is a bit. Counters of the contexts in which it stands say how likely it is; a set of
weights, which learns after every decision, mixes what they say (Mahoney, "Adaptive Weighing of
Context Models for Lossless Data Compression", 2005). Everything is integers: every machine and
engine gives the same words.
"""
