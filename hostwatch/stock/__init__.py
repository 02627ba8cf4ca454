"""Taking in inventories: from files with very many devices to what changes, beside the watch.

`check` reads files and says all that is wrong; `worker` is the process in which that happens for a
running watch; `client` is how the watch speaks to it. Only what changes comes back.
"""
