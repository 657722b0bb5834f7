"""Tests of the entity catalog and of what derives from one object."""
