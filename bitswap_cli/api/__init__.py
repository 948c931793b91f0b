"""What the verbs do, as functions; `bitswap_cli` itself offers those that a program needs.

Nothing here prints, asks for a terminal or handles signals. Whoever calls is told by callables:
``progress(stage, done, total)`` with the name of what is being done and its bytes, ``notes(line)``
with details as they come. What a callable raises ends the work, and nothing is left behind.
"""
