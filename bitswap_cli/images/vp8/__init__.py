"""Key frames of VP8 (RFC 6386), as WebP files hold them: the decisions of their boolean coder, each
under a mixture of what is known, and the same bytes again.

Frames are parsed, and their pixels predicted as decoders do, for what those tell of coefficients;
they are no pictures here.
"""
