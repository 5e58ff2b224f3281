"""Callers, devices and faults against a real server, and a checker that judges all that happened."""
