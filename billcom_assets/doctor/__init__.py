"""The checks of the whole installation behind ``billcom doctor``: each finding comes with its fix."""
