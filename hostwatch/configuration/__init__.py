"""The configuration: text that people write, made into values that cannot be wrong.

`load.load(path)` is the door. This package imports nothing into its top level, so that a channel may
import `hostwatch.configuration.secret` without a circle.
"""
