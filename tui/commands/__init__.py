"""The commands of `gravity`, a file each; what is heavy is imported when a command runs."""
