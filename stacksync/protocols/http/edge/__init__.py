"""What stands between the network and the resources: connections, limits, proxies, other sites.

Nothing here knows what a resource does.
"""
