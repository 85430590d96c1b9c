"""The subcommands of `fullcircle`, one module each."""
