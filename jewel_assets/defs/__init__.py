"""Dagster only: assets, checks, resources, partitions, policies, jobs, schedules. No algorithm belongs here.

Each street has a module of its name whose assets call the domain package of that name. Nothing heavy is imported when
these modules are loaded, so that a machine without an extra still shows the whole graph.
"""
