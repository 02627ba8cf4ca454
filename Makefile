# Names for those who have make. All work is done by the scripts, which need nothing but a POSIX shell.
.PHONY: try test lint simulate killsweep fuzz pages bench lock
try test lint simulate killsweep fuzz pages bench lock:
	scripts/$@
