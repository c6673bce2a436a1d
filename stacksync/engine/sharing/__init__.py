"""Sharing: folders become workspaces with members, by proposal and acceptance.

Who may do it is decided in :mod:`stacksync.engine.access`; what it leaves to be
done in the store is done by :mod:`stacksync.engine.jobs`.
"""
