"""What the end-to-end tests stand on: the real server as a process, its callers, its operators and its devices."""
