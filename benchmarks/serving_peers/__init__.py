"""What people use now to serve a model, each in an environment of its own."""
