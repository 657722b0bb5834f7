"""Dagster's web application with a guard in front: what ``billcom ui`` and a deployment serve."""
