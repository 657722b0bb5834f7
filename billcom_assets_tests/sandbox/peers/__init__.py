"""Programs that read a sandbox with clients that other people wrote, run by that clients' own interpreter."""
