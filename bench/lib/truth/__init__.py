"""The service under random faults beside an independent recorder of the kernel's events."""
