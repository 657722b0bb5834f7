"""Databases that earlier versions have filled, as those versions left them; see ``make``."""
