"""Keystone as the service sees it, with a real one."""
