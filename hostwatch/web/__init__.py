"""The desk for customers and programs: pages and an API, in a process without rights, before the watch."""
