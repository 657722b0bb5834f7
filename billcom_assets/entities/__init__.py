"""The entity catalog: the single declaration of every kind of BILL object."""
