"""What people, devices and the broker sign in by, and how long that holds."""
