"""Speed and memory beside another client, as figures to read: nothing here can fail a build."""
