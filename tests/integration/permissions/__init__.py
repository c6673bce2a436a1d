"""What everybody may do with a shared folder, in every way to sign in."""
