"""Who is there: passwords, tokens, signatures of applications, and slowing down guessers.

Knows nothing of protocols: a front-end hands over what somebody has shown and
where it came from, and gets a :class:`~stacksync.model.Principal`.
"""
