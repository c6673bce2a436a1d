"""Clients of StackSync, as the stories use them: devices, applications, and who means ill."""
