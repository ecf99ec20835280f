"""Endpoints, a module a resource. Each reads, asks a process, or both; none decides."""
