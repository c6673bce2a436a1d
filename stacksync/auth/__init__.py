"""Who is there: password hashes, signing in, and slowing down guessers.

Knows nothing of protocols: a front-end hands over an e-mail, a password and
where they came from, and gets a :class:`~stacksync.model.Principal`.
"""
