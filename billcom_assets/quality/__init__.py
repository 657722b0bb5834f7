"""What is measured of the mirrored data, and what was found; nothing here stops a sync."""
